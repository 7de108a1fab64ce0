-- What the ledger knows of golden items that are sealed or retired, of overlaps that somebody allowed, and of looks.
-- Answers to sealed items and their scores have tables of their own: nothing that reads development items meets them.
-- Looks are verdicts that read sealed scores, and so events of the registry's chain.

-- The one with a default is last: DuckDB cannot alter a table with rows again in the same transaction after that.
ALTER TABLE golden_items ADD COLUMN retired VARCHAR;
ALTER TABLE golden_items ADD COLUMN sealed BOOLEAN DEFAULT false;

CREATE TABLE sealed_generations (
    run_id VARCHAR,
    item_id VARCHAR,
    sample_index INTEGER,
    item_hash VARCHAR NOT NULL,
    text VARCHAR,
    error VARCHAR,
    finish_reason VARCHAR CHECK (finish_reason IN ('stop', 'length')),
    prompt_hash VARCHAR,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    latency_s DOUBLE,
    passages STRUCT(passage_id VARCHAR, text VARCHAR, score DOUBLE)[] NOT NULL,
    PRIMARY KEY (run_id, item_id, sample_index),
    CHECK ((text IS NULL) <> (error IS NULL))
);

CREATE TABLE sealed_scores (
    run_id VARCHAR,
    task VARCHAR,
    item_id VARCHAR,
    sample_index INTEGER,
    scorer VARCHAR,
    item_hash VARCHAR NOT NULL,
    value DOUBLE CHECK (NOT isnan(value)),
    status VARCHAR NOT NULL CHECK (status IN ('scored', 'unparsed', 'failed')),
    item_group VARCHAR,
    stratum VARCHAR,
    detail VARCHAR,
    PRIMARY KEY (run_id, task, item_id, sample_index, scorer),
    CHECK (status <> 'scored' OR value IS NOT NULL),
    CHECK (status <> 'failed' OR value IS NULL)
);

CREATE TABLE sealed_events (
    event_number BIGINT PRIMARY KEY,
    run_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted')),
    recorded_at TIMESTAMPTZ NOT NULL,
    reason VARCHAR,
    answered_by VARCHAR NOT NULL,
    facts JSON NOT NULL
);

CREATE TABLE run_overlaps (
    run_id VARCHAR,
    scored VARCHAR CHECK (scored IN ('golden', 'regression')),
    training_sha256 VARCHAR,
    line INTEGER,
    item_id VARCHAR,
    kind VARCHAR NOT NULL,
    share DOUBLE NOT NULL CHECK (share > 0 AND share <= 1),
    reason VARCHAR NOT NULL CHECK (reason <> ''),
    allowed_by VARCHAR NOT NULL,
    allowed_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (run_id, scored, training_sha256, line, item_id)
);

CREATE OR REPLACE VIEW v_golden_items AS
WITH latest AS (
    SELECT * FROM golden_sets
    QUALIFY row_number() OVER (PARTITION BY sha256 ORDER BY revision DESC) = 1
)
SELECT
    latest.name AS golden_set,
    latest.version AS golden_version,
    items.golden_sha256,
    items.position,
    items.item_id,
    items.item_hash,
    items.kind,
    CASE WHEN NOT items.sealed THEN items.input[-1].content END AS question,
    CASE WHEN NOT items.sealed THEN items.item_references[1] END AS reference,
    CASE WHEN NOT items.sealed THEN items.item_references END AS item_references,
    CASE WHEN NOT items.sealed THEN items.input END AS input,
    CASE WHEN NOT items.sealed THEN items.must_contain END AS must_contain,
    CASE WHEN NOT items.sealed THEN items.must_not_contain END AS must_not_contain,
    items.tags,
    items.item_group,
    items.difficulty,
    CASE WHEN NOT items.sealed THEN items.source END AS source,
    CASE WHEN NOT items.sealed THEN items.notes END AS notes,
    items.sealed,
    items.retired
FROM golden_items AS items
JOIN latest ON latest.sha256 = items.golden_sha256;

CREATE VIEW v_overlaps AS
SELECT
    run_overlaps.run_id,
    runs.experiment,
    runs.system,
    run_overlaps.scored,
    run_overlaps.line,
    run_overlaps.item_id,
    run_overlaps.kind,
    run_overlaps.share,
    run_overlaps.reason,
    run_overlaps.allowed_by,
    run_overlaps.allowed_at,
    run_overlaps.training_sha256
FROM run_overlaps
JOIN runs USING (run_id);

CREATE VIEW v_sealed AS
WITH latest AS (
    SELECT * FROM sealed_events
    QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY event_number DESC) = 1
)
SELECT
    latest.run_id,
    runs.experiment,
    runs.system,
    latest.status,
    latest.reason,
    latest.recorded_at,
    latest.answered_by,
    (
        SELECT count(*) FROM golden_items AS items
        WHERE items.golden_sha256 = runs.golden_sha256 AND items.sealed AND items.retired IS NULL
    ) AS n_items,
    (
        SELECT count(DISTINCT answers.item_id) FROM sealed_generations AS answers WHERE answers.run_id = latest.run_id
    ) AS n_answered
FROM latest
JOIN runs USING (run_id);

CREATE VIEW v_looks AS
SELECT
    event_id AS verdict_id,
    CAST(payload ->> '$.look.number' AS INTEGER) AS look,
    payload ->> '$.look.repeats' AS repeats,
    payload ->> '$.look.by' AS looked_by,
    recorded_at AS looked_at,
    payload ->> 'experiment' AS experiment,
    payload ->> 'candidate' AS candidate,
    payload ->> 'run_id' AS run_id,
    payload ->> 'adapter_sha256' AS adapter_sha256,
    CAST(payload ->> '$.look.items' AS INTEGER) AS n_items,
    CAST(payload ->> '$.look.risk' AS DOUBLE) AS risk,
    payload ->> 'golden_version' AS golden_version,
    payload ->> 'golden_sha256' AS golden_sha256,
    payload ->> 'outcome' AS outcome,
    sequence
FROM registry_events
WHERE kind = 'verdict' AND (payload ->> '$.look.number') IS NOT NULL;

COMMENT ON VIEW v_golden_items IS 'One row an item of a golden set; texts of sealed items are left out';
COMMENT ON COLUMN v_golden_items.golden_set IS 'Name of the golden set, as last recorded';
COMMENT ON COLUMN v_golden_items.golden_version IS 'Its version, as last recorded';
COMMENT ON COLUMN v_golden_items.golden_sha256 IS 'SHA-256 of golden.jsonl';
COMMENT ON COLUMN v_golden_items.position IS 'Place in the file, from 0';
COMMENT ON COLUMN v_golden_items.item_id IS 'The item, stable across runs and versions';
COMMENT ON COLUMN v_golden_items.item_hash IS 'Hash of the question and of what it is scored against: different hashes are different items';
COMMENT ON COLUMN v_golden_items.kind IS 'typical, edge, adversarial or out_of_scope';
COMMENT ON COLUMN v_golden_items.question IS 'The last user turn; NULL where sealed';
COMMENT ON COLUMN v_golden_items.reference IS 'The first reference; NULL where sealed';
COMMENT ON COLUMN v_golden_items.item_references IS 'Every reference; NULL where sealed';
COMMENT ON COLUMN v_golden_items.input IS 'Every turn, a list of role and content; NULL where sealed';
COMMENT ON COLUMN v_golden_items.must_contain IS 'What an answer must hold; NULL where sealed';
COMMENT ON COLUMN v_golden_items.must_not_contain IS 'What an answer must not hold; NULL where sealed';
COMMENT ON COLUMN v_golden_items.tags IS 'Free labels';
COMMENT ON COLUMN v_golden_items.item_group IS 'Items of one group stand together (one patient, one document)';
COMMENT ON COLUMN v_golden_items.difficulty IS 'easy, medium or hard';
COMMENT ON COLUMN v_golden_items.source IS 'Where the item comes from; NULL where sealed';
COMMENT ON COLUMN v_golden_items.notes IS 'Remarks of its author; NULL where sealed';
COMMENT ON COLUMN v_golden_items.sealed IS 'Whether only harness run --sealed asks it, and only harness gate reads its scores';
COMMENT ON COLUMN v_golden_items.retired IS 'Why it is no longer asked; NULL if it is';

COMMENT ON VIEW v_overlaps IS 'One row a training record and an item that share a text, of a run that was allowed to learn it';
COMMENT ON COLUMN v_overlaps.run_id IS 'The run';
COMMENT ON COLUMN v_overlaps.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_overlaps.system IS 'Name of the system';
COMMENT ON COLUMN v_overlaps.scored IS 'golden, or regression for an item of the regression suite';
COMMENT ON COLUMN v_overlaps.line IS 'Line of the record in the training set';
COMMENT ON COLUMN v_overlaps.item_id IS 'The item';
COMMENT ON COLUMN v_overlaps.kind IS 'How they overlap: exact, normalised, item_in_record, record_in_item, mostly_in_record or similar';
COMMENT ON COLUMN v_overlaps.share IS 'How much is shared, in (0, 1]; 1 where one text holds the other';
COMMENT ON COLUMN v_overlaps.reason IS 'Why it was allowed, in the words of whoever did';
COMMENT ON COLUMN v_overlaps.allowed_by IS 'Who allowed it';
COMMENT ON COLUMN v_overlaps.allowed_at IS 'When';
COMMENT ON COLUMN v_overlaps.training_sha256 IS 'SHA-256 of the training set';

COMMENT ON VIEW v_sealed IS 'One row a run that was asked sealed items; what it answered only harness gate reads';
COMMENT ON COLUMN v_sealed.run_id IS 'The run';
COMMENT ON COLUMN v_sealed.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_sealed.system IS 'Name of the system';
COMMENT ON COLUMN v_sealed.status IS 'Latest: running, finished, failed or interrupted';
COMMENT ON COLUMN v_sealed.reason IS 'Why it failed or was interrupted';
COMMENT ON COLUMN v_sealed.recorded_at IS 'When it took that status';
COMMENT ON COLUMN v_sealed.answered_by IS 'Who asked for it';
COMMENT ON COLUMN v_sealed.n_items IS 'Sealed items of its golden set';
COMMENT ON COLUMN v_sealed.n_answered IS 'Of these, how many have an answer or an error';

COMMENT ON VIEW v_looks IS 'One row a verdict that read sealed scores: a look';
COMMENT ON COLUMN v_looks.verdict_id IS 'The verdict';
COMMENT ON COLUMN v_looks.look IS 'Which look at these sealed items it was, from 1';
COMMENT ON COLUMN v_looks.repeats IS 'The verdict whose look it is again (same run, policy and evidence); NULL for a new look';
COMMENT ON COLUMN v_looks.looked_by IS 'Who asked for it';
COMMENT ON COLUMN v_looks.looked_at IS 'When';
COMMENT ON COLUMN v_looks.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_looks.candidate IS 'Name that the run was asked for by';
COMMENT ON COLUMN v_looks.run_id IS 'The run that was judged';
COMMENT ON COLUMN v_looks.adapter_sha256 IS 'Hash of its adapter; NULL if it has none';
COMMENT ON COLUMN v_looks.n_items IS 'Sealed items that were read';
COMMENT ON COLUMN v_looks.risk IS 'After this look, the most that the chance of a pass without any gain can be, in [0, 1]';
COMMENT ON COLUMN v_looks.golden_version IS 'Version of the golden set';
COMMENT ON COLUMN v_looks.golden_sha256 IS 'SHA-256 of its golden.jsonl';
COMMENT ON COLUMN v_looks.outcome IS 'pass, fail or inconclusive';
COMMENT ON COLUMN v_looks.sequence IS 'Place in the registry''s chain';
