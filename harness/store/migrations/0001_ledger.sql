-- Tables are append-only: a row's key is its identity, and writing it twice changes nothing.
-- Where something may be declared anew under the same name, `revision` counts up and views show the last.
-- No foreign keys: DuckDB refuses some upserts with them; the store checks that a run exists before it writes for it.

CREATE TABLE schema_migrations (
    version INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE golden_sets (
    sha256 VARCHAR,
    revision INTEGER,
    name VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    licence VARCHAR NOT NULL,
    n_items INTEGER NOT NULL,
    scorers VARCHAR[] NOT NULL,
    known_codes VARCHAR[],
    PRIMARY KEY (sha256, revision)
);

CREATE TABLE golden_items (
    golden_sha256 VARCHAR,
    item_id VARCHAR,
    item_hash VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('typical', 'edge', 'adversarial', 'out_of_scope')),
    input STRUCT(role VARCHAR, content VARCHAR)[] NOT NULL,
    item_references VARCHAR[] NOT NULL,
    must_contain VARCHAR[] NOT NULL,
    must_not_contain VARCHAR[] NOT NULL,
    tags VARCHAR[] NOT NULL,
    item_group VARCHAR,
    difficulty VARCHAR CHECK (difficulty IN ('easy', 'medium', 'hard')),
    source VARCHAR,
    notes VARCHAR,
    PRIMARY KEY (golden_sha256, item_id)
);

CREATE TABLE runs (
    run_id VARCHAR PRIMARY KEY,
    experiment VARCHAR NOT NULL,
    experiment_id VARCHAR NOT NULL,
    system VARCHAR NOT NULL,
    inputs_hash VARCHAR NOT NULL,
    golden_set VARCHAR NOT NULL,
    golden_version VARCHAR NOT NULL,
    golden_sha256 VARCHAR NOT NULL,
    system_config JSON NOT NULL,
    provenance JSON NOT NULL,
    started_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE run_events (
    event_number BIGINT PRIMARY KEY,
    run_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted')),
    recorded_at TIMESTAMPTZ NOT NULL,
    reason VARCHAR,
    facts JSON NOT NULL
);

CREATE TABLE generations (
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

CREATE TABLE scores (
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

CREATE TABLE metrics (
    name VARCHAR,
    revision INTEGER,
    kind VARCHAR NOT NULL CHECK (kind IN ('binary', 'graded', 'count')),
    direction VARCHAR NOT NULL CHECK (direction IN ('higher_is_better', 'lower_is_better')),
    minimum DOUBLE,
    maximum DOUBLE,
    chance DOUBLE,
    description VARCHAR NOT NULL,
    PRIMARY KEY (name, revision)
);

CREATE TABLE training_metrics (
    run_id VARCHAR,
    name VARCHAR,
    step BIGINT,
    epoch DOUBLE NOT NULL,
    value DOUBLE NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (run_id, name, step)
);

CREATE TABLE artifacts (
    run_id VARCHAR,
    kind VARCHAR CHECK (kind IN ('adapter')),
    path VARCHAR,
    revision INTEGER,
    sha256 VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (run_id, kind, path, revision)
);

CREATE VIEW v_runs AS
WITH latest AS (
    SELECT * FROM run_events
    QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY event_number DESC) = 1
)
SELECT
    runs.run_id,
    runs.experiment,
    runs.system,
    latest.status,
    latest.reason,
    runs.started_at,
    CASE WHEN latest.status <> 'running' THEN latest.recorded_at END AS ended_at,
    CASE WHEN latest.status <> 'running' THEN coalesce(
        TRY_CAST(latest.facts ->> 'wall_s' AS DOUBLE),
        (epoch_us(latest.recorded_at) - epoch_us(runs.started_at)) / 1e6
    ) END AS wall_s,
    TRY_CAST(latest.facts ->> 'prompt_tokens' AS BIGINT) AS prompt_tokens,
    TRY_CAST(latest.facts ->> 'completion_tokens' AS BIGINT) AS completion_tokens,
    TRY_CAST(latest.facts ->> 'peak_memory_bytes' AS BIGINT) AS peak_memory_bytes,
    runs.golden_set,
    runs.golden_version,
    runs.golden_sha256,
    runs.experiment_id,
    runs.inputs_hash,
    runs.system_config,
    runs.provenance,
    latest.facts,
    latest.event_number
FROM runs
JOIN latest ON latest.run_id = runs.run_id;

CREATE VIEW v_golden_items AS
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
    items.input[-1].content AS question,
    items.item_references[1] AS reference,
    items.item_references,
    items.input,
    items.must_contain,
    items.must_not_contain,
    items.tags,
    items.item_group,
    items.difficulty,
    items.source,
    items.notes
FROM golden_items AS items
JOIN latest ON latest.sha256 = items.golden_sha256;

CREATE VIEW v_generations AS
SELECT
    generations.run_id,
    runs.experiment,
    runs.system,
    generations.item_id,
    generations.item_hash,
    generations.sample_index,
    items.input[-1].content AS question,
    items.item_references[1] AS reference,
    items.item_references,
    generations.text,
    generations.error,
    generations.finish_reason,
    generations.prompt_hash,
    generations.prompt_tokens,
    generations.completion_tokens,
    generations.latency_s,
    generations.passages
FROM generations
JOIN runs ON runs.run_id = generations.run_id
LEFT JOIN golden_items AS items
    ON items.golden_sha256 = runs.golden_sha256
    AND items.item_id = generations.item_id
    AND items.item_hash = generations.item_hash;

CREATE VIEW v_scores AS
SELECT
    scores.run_id,
    runs.experiment,
    runs.system,
    scores.task,
    scores.task || '/' || scores.scorer AS metric,
    scores.scorer,
    scores.item_id,
    scores.item_hash,
    scores.sample_index,
    scores.value,
    scores.status,
    scores.item_group,
    scores.stratum,
    scores.detail
FROM scores
JOIN runs ON runs.run_id = scores.run_id;

CREATE VIEW v_training_metrics AS
SELECT
    training_metrics.run_id,
    runs.experiment,
    runs.system,
    training_metrics.name,
    training_metrics.step,
    training_metrics.epoch,
    training_metrics.value,
    training_metrics.recorded_at
FROM training_metrics
JOIN runs ON runs.run_id = training_metrics.run_id;

CREATE VIEW v_metrics AS
SELECT name, kind, direction, minimum, maximum, chance, description
FROM metrics
QUALIFY row_number() OVER (PARTITION BY name ORDER BY revision DESC) = 1;

CREATE VIEW v_artifacts AS
SELECT artifacts.run_id, runs.experiment, runs.system, artifacts.kind, artifacts.path, artifacts.sha256,
    artifacts.size_bytes
FROM artifacts
JOIN runs ON runs.run_id = artifacts.run_id
QUALIFY row_number() OVER (PARTITION BY artifacts.run_id, artifacts.kind, artifacts.path ORDER BY revision DESC) = 1;

COMMENT ON VIEW v_runs IS 'One row a run, with its latest status';
COMMENT ON COLUMN v_runs.run_id IS 'The run';
COMMENT ON COLUMN v_runs.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_runs.system IS 'Name of the system that was run';
COMMENT ON COLUMN v_runs.status IS 'running, finished, failed or interrupted';
COMMENT ON COLUMN v_runs.reason IS 'Why it failed or was interrupted';
COMMENT ON COLUMN v_runs.started_at IS 'When it started';
COMMENT ON COLUMN v_runs.ended_at IS 'When it took its status; NULL while running';
COMMENT ON COLUMN v_runs.wall_s IS 'Seconds of wall time: as the run said (facts.wall_s), else from start to end; NULL while running';
COMMENT ON COLUMN v_runs.prompt_tokens IS 'Tokens read (facts.prompt_tokens)';
COMMENT ON COLUMN v_runs.completion_tokens IS 'Tokens written (facts.completion_tokens)';
COMMENT ON COLUMN v_runs.peak_memory_bytes IS 'Most memory used, in bytes (facts.peak_memory_bytes)';
COMMENT ON COLUMN v_runs.golden_set IS 'Name of the golden set';
COMMENT ON COLUMN v_runs.golden_version IS 'Its version';
COMMENT ON COLUMN v_runs.golden_sha256 IS 'SHA-256 of its golden.jsonl';
COMMENT ON COLUMN v_runs.experiment_id IS 'Hash of the whole experiment as resolved';
COMMENT ON COLUMN v_runs.inputs_hash IS 'Hash of everything the outcome of this system depends on';
COMMENT ON COLUMN v_runs.system_config IS 'The system as resolved, a JSON object';
COMMENT ON COLUMN v_runs.provenance IS 'Code, packages, device and seeds, a JSON object';
COMMENT ON COLUMN v_runs.facts IS 'What was known only at the end, a JSON object';
COMMENT ON COLUMN v_runs.event_number IS 'Order in which the ledger learned the latest status';

COMMENT ON VIEW v_golden_items IS 'One row an item of a golden set';
COMMENT ON COLUMN v_golden_items.golden_set IS 'Name of the golden set, as last recorded';
COMMENT ON COLUMN v_golden_items.golden_version IS 'Its version, as last recorded';
COMMENT ON COLUMN v_golden_items.golden_sha256 IS 'SHA-256 of golden.jsonl';
COMMENT ON COLUMN v_golden_items.position IS 'Place in the file, from 0';
COMMENT ON COLUMN v_golden_items.item_id IS 'The item, stable across runs and versions';
COMMENT ON COLUMN v_golden_items.item_hash IS 'Hash of the question and of what it is scored against: different hashes are different items';
COMMENT ON COLUMN v_golden_items.kind IS 'typical, edge, adversarial or out_of_scope';
COMMENT ON COLUMN v_golden_items.question IS 'The last user turn';
COMMENT ON COLUMN v_golden_items.reference IS 'The first reference';
COMMENT ON COLUMN v_golden_items.item_references IS 'Every reference';
COMMENT ON COLUMN v_golden_items.input IS 'Every turn, a list of role and content';
COMMENT ON COLUMN v_golden_items.must_contain IS 'What an answer must hold';
COMMENT ON COLUMN v_golden_items.must_not_contain IS 'What an answer must not hold';
COMMENT ON COLUMN v_golden_items.tags IS 'Free labels';
COMMENT ON COLUMN v_golden_items.item_group IS 'Items of one group stand together (one patient, one document)';
COMMENT ON COLUMN v_golden_items.difficulty IS 'easy, medium or hard';
COMMENT ON COLUMN v_golden_items.source IS 'Where the item comes from';
COMMENT ON COLUMN v_golden_items.notes IS 'Remarks of its author';

COMMENT ON VIEW v_generations IS 'One row a generation, with its question and reference';
COMMENT ON COLUMN v_generations.run_id IS 'The run';
COMMENT ON COLUMN v_generations.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_generations.system IS 'Name of the system that answered';
COMMENT ON COLUMN v_generations.item_id IS 'The item, stable across runs and versions';
COMMENT ON COLUMN v_generations.item_hash IS 'Hash of the question and of what it is scored against: different hashes are different items';
COMMENT ON COLUMN v_generations.sample_index IS 'Which of several answers to the same item, from 0';
COMMENT ON COLUMN v_generations.question IS 'The last user turn; NULL if the golden set is not in the ledger';
COMMENT ON COLUMN v_generations.reference IS 'The first reference; NULL if the golden set is not in the ledger';
COMMENT ON COLUMN v_generations.item_references IS 'Every reference; NULL if the golden set is not in the ledger';
COMMENT ON COLUMN v_generations.text IS 'What the system answered; NULL if it failed';
COMMENT ON COLUMN v_generations.error IS 'Why there is no answer; NULL if there is one';
COMMENT ON COLUMN v_generations.finish_reason IS 'stop (the system ended) or length (cut off)';
COMMENT ON COLUMN v_generations.prompt_hash IS 'Hash of the rendered prompt';
COMMENT ON COLUMN v_generations.prompt_tokens IS 'Tokens of the prompt, by the system''s own tokenizer';
COMMENT ON COLUMN v_generations.completion_tokens IS 'Tokens of the answer, by the system''s own tokenizer';
COMMENT ON COLUMN v_generations.latency_s IS 'Seconds: wall time of the batch divided by its items, a throughput';
COMMENT ON COLUMN v_generations.passages IS 'Retrieved passages: passage_id, text, and the retriever''s own score';

COMMENT ON VIEW v_scores IS 'One row a score: one metric on one item of one run';
COMMENT ON COLUMN v_scores.run_id IS 'The run';
COMMENT ON COLUMN v_scores.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_scores.system IS 'Name of the system that answered';
COMMENT ON COLUMN v_scores.task IS 'golden, or a regression task such as mmlu';
COMMENT ON COLUMN v_scores.metric IS 'task/scorer, the name that comparisons and policies use';
COMMENT ON COLUMN v_scores.scorer IS 'What gave the score';
COMMENT ON COLUMN v_scores.item_id IS 'The item, stable across runs and versions';
COMMENT ON COLUMN v_scores.item_hash IS 'Hash of the question and of what it is scored against: different hashes are different items';
COMMENT ON COLUMN v_scores.sample_index IS 'Which of several answers to the same item, from 0';
COMMENT ON COLUMN v_scores.value IS 'In the metric''s unit (proportion in [0, 1] for binary); NULL if there is none';
COMMENT ON COLUMN v_scores.status IS 'scored, unparsed (no readable form) or failed (never answered, so missing)';
COMMENT ON COLUMN v_scores.item_group IS 'Items of one group stand together (one patient, one document)';
COMMENT ON COLUMN v_scores.stratum IS 'Subject, where the task has subjects';
COMMENT ON COLUMN v_scores.detail IS 'What the scorer says of this item';

COMMENT ON VIEW v_training_metrics IS 'One row a point of a training curve';
COMMENT ON COLUMN v_training_metrics.run_id IS 'The run';
COMMENT ON COLUMN v_training_metrics.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_training_metrics.system IS 'Name of the system that was trained';
COMMENT ON COLUMN v_training_metrics.name IS 'What is measured, such as loss';
COMMENT ON COLUMN v_training_metrics.step IS 'Optimizer steps so far, from 1';
COMMENT ON COLUMN v_training_metrics.epoch IS 'Passes over the training set so far, fractional';
COMMENT ON COLUMN v_training_metrics.value IS 'In the unit of what is measured';
COMMENT ON COLUMN v_training_metrics.recorded_at IS 'When it was measured';

COMMENT ON VIEW v_metrics IS 'One row a metric, as last defined';
COMMENT ON COLUMN v_metrics.name IS 'task/scorer';
COMMENT ON COLUMN v_metrics.kind IS 'binary, graded or count';
COMMENT ON COLUMN v_metrics.direction IS 'higher_is_better or lower_is_better';
COMMENT ON COLUMN v_metrics.minimum IS 'Lowest possible value; NULL if unbounded';
COMMENT ON COLUMN v_metrics.maximum IS 'Highest possible value; NULL if unbounded';
COMMENT ON COLUMN v_metrics.chance IS 'What guessing gives, a proportion; NULL if unknown';
COMMENT ON COLUMN v_metrics.description IS 'What it says, in words';

COMMENT ON VIEW v_artifacts IS 'One row a file or folder that a run left behind, as last recorded';
COMMENT ON COLUMN v_artifacts.run_id IS 'The run';
COMMENT ON COLUMN v_artifacts.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_artifacts.system IS 'Name of the system that was run';
COMMENT ON COLUMN v_artifacts.kind IS 'adapter';
COMMENT ON COLUMN v_artifacts.path IS 'Relative to the home, with forward slashes';
COMMENT ON COLUMN v_artifacts.sha256 IS 'SHA-256 of names and contents';
COMMENT ON COLUMN v_artifacts.size_bytes IS 'Size of all files, in bytes';
