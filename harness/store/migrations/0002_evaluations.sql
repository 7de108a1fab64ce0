-- Regression scores belong to an evaluation, keyed by content: weights, adapter, task, items, template, number format and
-- engine. Runs refer to evaluations, so that the same weights are evaluated once.

CREATE TABLE evaluations (
    evaluation_key VARCHAR PRIMARY KEY,
    task VARCHAR NOT NULL,
    inputs JSON NOT NULL,
    n_items INTEGER NOT NULL,
    whole_items INTEGER NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE evaluation_items (
    evaluation_key VARCHAR,
    item_id VARCHAR,
    item_hash VARCHAR NOT NULL,
    stratum VARCHAR,
    item_group VARCHAR,
    gold INTEGER,
    loglikelihoods DOUBLE[] NOT NULL,
    greedy BOOLEAN[] NOT NULL,
    option_chars INTEGER[] NOT NULL,
    option_bytes INTEGER[] NOT NULL,
    doc_hash VARCHAR NOT NULL,
    prompt_hash VARCHAR NOT NULL,
    target_hash VARCHAR NOT NULL,
    truncated BOOLEAN NOT NULL,
    error VARCHAR,
    PRIMARY KEY (evaluation_key, item_id)
);

CREATE TABLE evaluation_scores (
    evaluation_key VARCHAR,
    task VARCHAR,
    item_id VARCHAR,
    scorer VARCHAR,
    item_hash VARCHAR NOT NULL,
    value DOUBLE CHECK (NOT isnan(value)),
    status VARCHAR NOT NULL CHECK (status IN ('scored', 'unparsed', 'failed')),
    item_group VARCHAR,
    stratum VARCHAR,
    detail VARCHAR,
    PRIMARY KEY (evaluation_key, task, item_id, scorer)
);

CREATE TABLE run_evaluations (
    run_id VARCHAR,
    evaluation_key VARCHAR,
    asked JSON NOT NULL,
    PRIMARY KEY (run_id, evaluation_key)
);

CREATE OR REPLACE VIEW v_scores AS
SELECT
    run_scores.run_id,
    runs.experiment,
    runs.system,
    run_scores.task,
    run_scores.task || '/' || run_scores.scorer AS metric,
    run_scores.scorer,
    run_scores.item_id,
    run_scores.item_hash,
    run_scores.sample_index,
    run_scores.value,
    run_scores.status,
    run_scores.item_group,
    run_scores.stratum,
    run_scores.detail
FROM (
    SELECT run_id, task, item_id, item_hash, scorer, value, status, sample_index, item_group, stratum, detail
    FROM scores
    UNION ALL
    SELECT run_id, task, item_id, item_hash, scorer, value, status, 0, item_group, stratum, detail
    FROM evaluation_scores
    JOIN run_evaluations USING (evaluation_key)
) AS run_scores
JOIN runs ON runs.run_id = run_scores.run_id;

CREATE VIEW v_evaluations AS
SELECT
    run_evaluations.run_id,
    runs.experiment,
    runs.system,
    evaluations.evaluation_key,
    evaluations.task,
    evaluations.n_items,
    evaluations.whole_items,
    evaluation_items.item_id,
    evaluation_items.item_hash,
    evaluation_items.stratum,
    evaluation_items.item_group,
    evaluation_items.gold,
    evaluation_items.loglikelihoods,
    evaluation_items.greedy,
    evaluation_items.option_chars,
    evaluation_items.option_bytes,
    evaluation_items.doc_hash,
    evaluation_items.prompt_hash,
    evaluation_items.target_hash,
    evaluation_items.truncated,
    evaluation_items.error,
    evaluations.inputs
FROM evaluations
JOIN run_evaluations USING (evaluation_key)
JOIN runs USING (run_id)
JOIN evaluation_items USING (evaluation_key);

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

COMMENT ON VIEW v_evaluations IS 'One row a run and item of a regression task: what the model said of each option';
COMMENT ON COLUMN v_evaluations.run_id IS 'The run that refers to the evaluation';
COMMENT ON COLUMN v_evaluations.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_evaluations.system IS 'Name of the system, base for the base model';
COMMENT ON COLUMN v_evaluations.evaluation_key IS 'Hash of everything the numbers depend on; equal keys are one evaluation';
COMMENT ON COLUMN v_evaluations.task IS 'Regression task';
COMMENT ON COLUMN v_evaluations.n_items IS 'Items of the whole evaluation; fewer rows mean that it was interrupted';
COMMENT ON COLUMN v_evaluations.whole_items IS 'Items of the whole task; more than n_items mean that a subset was asked';
COMMENT ON COLUMN v_evaluations.item_id IS 'The item, stable across runs and versions';
COMMENT ON COLUMN v_evaluations.item_hash IS 'Hash of the item and of how it is asked';
COMMENT ON COLUMN v_evaluations.stratum IS 'Subject (MMLU) or source (HellaSwag)';
COMMENT ON COLUMN v_evaluations.item_group IS 'Items of one group stand together (one passage, one source)';
COMMENT ON COLUMN v_evaluations.gold IS 'Position of the right option, from 0';
COMMENT ON COLUMN v_evaluations.loglikelihoods IS 'Of each option given the prompt, in nats';
COMMENT ON COLUMN v_evaluations.greedy IS 'Whether greedy decoding would have written the option';
COMMENT ON COLUMN v_evaluations.option_chars IS 'Length of each option in characters, as acc_norm divides by it';
COMMENT ON COLUMN v_evaluations.option_bytes IS 'Length of each continuation in UTF-8 bytes, its delimiter included';
COMMENT ON COLUMN v_evaluations.doc_hash IS 'As lm-eval makes it';
COMMENT ON COLUMN v_evaluations.prompt_hash IS 'As lm-eval makes it';
COMMENT ON COLUMN v_evaluations.target_hash IS 'As lm-eval makes it';
COMMENT ON COLUMN v_evaluations.truncated IS 'Whether the prompt lost its beginning to fit the context';
COMMENT ON COLUMN v_evaluations.error IS 'Why there is no answer';
COMMENT ON COLUMN v_evaluations.inputs IS 'What the key is the hash of, a JSON object';
