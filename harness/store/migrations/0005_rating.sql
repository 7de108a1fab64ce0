-- Rating: campaigns, personal links, who was shown what, and what was answered. All append-only; a journal of files takes
-- in what raters do, and its lines are folded into these tables, each any number of times.
-- What comes out of a campaign is kept by campaign; `v_scores` shows, of each run and metric, the campaign closed last.

CREATE TABLE campaigns (
    campaign_id VARCHAR PRIMARY KEY,
    experiment VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('rubric', 'pairwise', 'both', 'validate')),
    golden_set VARCHAR NOT NULL,
    golden_version VARCHAR NOT NULL,
    golden_sha256 VARCHAR NOT NULL,
    rubric_sha256 VARCHAR NOT NULL,
    opened_at TIMESTAMPTZ NOT NULL,
    opened_by VARCHAR NOT NULL,
    definition JSON NOT NULL
);

CREATE TABLE campaign_events (
    event_id VARCHAR PRIMARY KEY,
    campaign_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('opened', 'extended', 'closed', 'adjudicated', 'imported')),
    recorded_at TIMESTAMPTZ NOT NULL,
    recorded_by VARCHAR NOT NULL,
    payload JSON NOT NULL
);

CREATE TABLE rating_links (
    link_id VARCHAR PRIMARY KEY,
    role VARCHAR NOT NULL CHECK (role IN ('rater', 'owner')),
    rater VARCHAR,
    campaign_id VARCHAR,
    issued_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE rating_link_events (
    link_id VARCHAR,
    kind VARCHAR CHECK (kind IN ('issued', 'revoked')),
    recorded_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (link_id, kind)
);

CREATE TABLE rating_assignments (
    assignment_id VARCHAR PRIMARY KEY,
    campaign_id VARCHAR NOT NULL,
    rater VARCHAR NOT NULL,
    item_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL CHECK (kind IN ('rubric', 'pairwise', 'validate', 'closing')),
    purpose VARCHAR NOT NULL CHECK (purpose IN ('scored', 'calibration', 'repeat')),
    run_ids VARCHAR[] NOT NULL,
    position INTEGER NOT NULL,
    assigned_at TIMESTAMPTZ NOT NULL,
    repeat_of VARCHAR
);

CREATE TABLE rating_events (
    event_id VARCHAR PRIMARY KEY,
    campaign_id VARCHAR NOT NULL,
    assignment_id VARCHAR NOT NULL,
    rater VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    stage VARCHAR NOT NULL CHECK (stage IN ('judge', 'revise')),
    recorded_at TIMESTAMPTZ NOT NULL,
    seconds DOUBLE NOT NULL CHECK (seconds >= 0),
    rubric_sha256 VARCHAR NOT NULL,
    answer JSON NOT NULL
);

CREATE TABLE rating_drafts (
    assignment_id VARCHAR,
    revision BIGINT,
    campaign_id VARCHAR NOT NULL,
    rater VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    answer JSON NOT NULL,
    PRIMARY KEY (assignment_id, revision)
);

CREATE TABLE rating_scores (
    campaign_id VARCHAR,
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
    PRIMARY KEY (campaign_id, run_id, task, item_id, sample_index, scorer)
);

CREATE TABLE rating_agreement (
    campaign_id VARCHAR,
    metric VARCHAR,
    raters INTEGER NOT NULL,
    items INTEGER NOT NULL,
    alpha DOUBLE,
    low DOUBLE,
    high DOUBLE,
    PRIMARY KEY (campaign_id, metric)
);

CREATE TABLE rating_notes (
    campaign_id VARCHAR,
    position INTEGER,
    note VARCHAR NOT NULL,
    PRIMARY KEY (campaign_id, position)
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
    UNION ALL
    SELECT run_id, task, item_id, item_hash, scorer, value, status, sample_index, item_group, stratum, detail
    FROM (
        SELECT rating_scores.*
        FROM rating_scores
        JOIN campaign_events ON campaign_events.campaign_id = rating_scores.campaign_id
            AND campaign_events.kind = 'closed'
        QUALIFY rank() OVER (
            PARTITION BY run_id, task, scorer
            ORDER BY campaign_events.recorded_at DESC, campaign_events.event_id DESC
        ) = 1
    ) AS latest_ratings
) AS run_scores
JOIN runs ON runs.run_id = run_scores.run_id;

CREATE VIEW v_campaigns AS
SELECT
    campaigns.campaign_id,
    campaigns.experiment,
    campaigns.kind,
    CASE WHEN closed.event_id IS NULL THEN 'open' ELSE 'closed' END AS status,
    campaigns.golden_set,
    campaigns.golden_version,
    campaigns.golden_sha256,
    campaigns.rubric_sha256,
    campaigns.opened_at,
    campaigns.opened_by,
    closed.recorded_at AS closed_at,
    closed.recorded_by AS closed_by,
    coalesce(judged.raters, 0) AS raters,
    coalesce(judged.judgements, 0) AS judgements,
    CASE WHEN closed.event_id IS NOT NULL THEN campaigns.definition END AS definition
FROM campaigns
LEFT JOIN campaign_events AS closed ON closed.campaign_id = campaigns.campaign_id AND closed.kind = 'closed'
LEFT JOIN (
    SELECT campaign_id, count(DISTINCT rater) AS raters, count(DISTINCT assignment_id) AS judgements
    FROM rating_events
    GROUP BY campaign_id
) AS judged ON judged.campaign_id = campaigns.campaign_id;

CREATE VIEW v_rating_events AS
SELECT
    events.event_id,
    events.campaign_id,
    events.assignment_id,
    events.rater,
    assignments.item_id,
    assignments.kind,
    assignments.purpose,
    assignments.position,
    assignments.repeat_of,
    events.revision,
    events.stage,
    events.recorded_at,
    events.seconds,
    events.rubric_sha256,
    CASE WHEN closed.event_id IS NOT NULL THEN assignments.run_ids END AS run_ids,
    events.answer
FROM rating_events AS events
JOIN rating_assignments AS assignments ON assignments.assignment_id = events.assignment_id
LEFT JOIN campaign_events AS closed ON closed.campaign_id = events.campaign_id AND closed.kind = 'closed';

CREATE VIEW v_ratings AS
WITH latest AS (
    SELECT * FROM v_rating_events
    QUALIFY row_number() OVER (PARTITION BY assignment_id ORDER BY revision DESC, recorded_at DESC, event_id) = 1
),
answers AS (
    SELECT latest.*, answered.key AS criterion, json_extract_string(answered.value, '$') AS value
    FROM latest, json_each(latest.answer, '$.levels') AS answered
    WHERE latest.kind = 'rubric'
    UNION ALL
    SELECT latest.*, 'critical_error', answer ->> 'critical_error'
    FROM latest
    WHERE kind = 'rubric' AND (answer ->> 'critical_error') IS NOT NULL
    UNION ALL
    SELECT latest.*, 'preference', answer ->> 'choice' FROM latest WHERE kind = 'pairwise'
    UNION ALL
    SELECT latest.*, 'decision', answer ->> 'decision' FROM latest WHERE kind = 'validate'
    UNION ALL
    SELECT latest.*, 'guess', answer ->> 'guess' FROM latest WHERE kind = 'closing'
)
SELECT
    answers.campaign_id,
    answers.assignment_id,
    answers.rater,
    answers.item_id,
    answers.kind,
    answers.purpose,
    answers.criterion,
    answers.value,
    CASE WHEN answers.kind = 'rubric' THEN answers.run_ids[1] END AS run_id,
    runs.system,
    answers.run_ids,
    answers.position,
    answers.seconds,
    answers.recorded_at,
    answers.answer ->> 'comment' AS comment,
    answers.answer
FROM answers
LEFT JOIN runs ON answers.kind = 'rubric' AND runs.run_id = answers.run_ids[1];

COMMENT ON VIEW v_campaigns IS 'One row a campaign of rating';
COMMENT ON COLUMN v_campaigns.campaign_id IS 'The campaign';
COMMENT ON COLUMN v_campaigns.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_campaigns.kind IS 'rubric, pairwise, both or validate';
COMMENT ON COLUMN v_campaigns.status IS 'open or closed';
COMMENT ON COLUMN v_campaigns.golden_set IS 'Name of the golden set';
COMMENT ON COLUMN v_campaigns.golden_version IS 'Its version';
COMMENT ON COLUMN v_campaigns.golden_sha256 IS 'SHA-256 of its golden.jsonl';
COMMENT ON COLUMN v_campaigns.rubric_sha256 IS 'SHA-256 of the rubric as canonical JSON';
COMMENT ON COLUMN v_campaigns.opened_at IS 'When it was opened';
COMMENT ON COLUMN v_campaigns.opened_by IS 'By whom';
COMMENT ON COLUMN v_campaigns.closed_at IS 'When it was closed and unblinded; NULL while open';
COMMENT ON COLUMN v_campaigns.closed_by IS 'By whom; NULL while open';
COMMENT ON COLUMN v_campaigns.raters IS 'People with a judgement stored here';
COMMENT ON COLUMN v_campaigns.judgements IS 'Screens with a judgement stored here; the journal may hold newer ones for a moment';
COMMENT ON COLUMN v_campaigns.definition IS 'All that was fixed at opening, a JSON object; NULL while open, since it names the runs';

COMMENT ON VIEW v_rating_events IS 'One row a judgement as given, changes of mind too';
COMMENT ON COLUMN v_rating_events.event_id IS 'Id of the event, the browser''s';
COMMENT ON COLUMN v_rating_events.campaign_id IS 'The campaign';
COMMENT ON COLUMN v_rating_events.assignment_id IS 'The screen that was judged';
COMMENT ON COLUMN v_rating_events.rater IS 'Who judged';
COMMENT ON COLUMN v_rating_events.item_id IS 'The item, or training record';
COMMENT ON COLUMN v_rating_events.kind IS 'rubric, pairwise, validate or closing';
COMMENT ON COLUMN v_rating_events.purpose IS 'scored, calibration or repeat (a hidden one)';
COMMENT ON COLUMN v_rating_events.position IS 'Place among the rater''s screens, from 0';
COMMENT ON COLUMN v_rating_events.repeat_of IS 'The screen that a hidden repeat shows again';
COMMENT ON COLUMN v_rating_events.revision IS 'The highest of a screen counts; milliseconds since 1970 by the browser''s clock';
COMMENT ON COLUMN v_rating_events.stage IS 'judge, or revise for an answer given after the reference was revealed';
COMMENT ON COLUMN v_rating_events.recorded_at IS 'When it was stored';
COMMENT ON COLUMN v_rating_events.seconds IS 'Seconds the screen was in front, measured in the browser';
COMMENT ON COLUMN v_rating_events.rubric_sha256 IS 'SHA-256 of the rubric';
COMMENT ON COLUMN v_rating_events.run_ids IS 'Runs whose answers were shown, in the order shown (left first); NULL while the campaign is open';
COMMENT ON COLUMN v_rating_events.answer IS 'All that was answered, a JSON object';

COMMENT ON VIEW v_ratings IS 'One row an answer to one question, as it stands now; adjudications apart';
COMMENT ON COLUMN v_ratings.campaign_id IS 'The campaign';
COMMENT ON COLUMN v_ratings.assignment_id IS 'The screen that was judged';
COMMENT ON COLUMN v_ratings.rater IS 'Who judged';
COMMENT ON COLUMN v_ratings.item_id IS 'The item, or training record';
COMMENT ON COLUMN v_ratings.kind IS 'rubric, pairwise, validate or closing';
COMMENT ON COLUMN v_ratings.purpose IS 'scored, calibration or repeat (a hidden one)';
COMMENT ON COLUMN v_ratings.criterion IS 'Criterion of the rubric; critical_error, preference, decision or guess';
COMMENT ON COLUMN v_ratings.value IS 'The level, fail or pass; true or false; left, right, tie or both_bad; accept, reject or correct; place of the guess';
COMMENT ON COLUMN v_ratings.run_id IS 'The run whose answer was rated; NULL while the campaign is open, and where several were shown';
COMMENT ON COLUMN v_ratings.system IS 'Its system; NULL likewise';
COMMENT ON COLUMN v_ratings.run_ids IS 'Runs whose answers were shown, in the order shown; NULL while the campaign is open';
COMMENT ON COLUMN v_ratings.position IS 'Place among the rater''s screens, from 0';
COMMENT ON COLUMN v_ratings.seconds IS 'Seconds the screen was in front, measured in the browser';
COMMENT ON COLUMN v_ratings.recorded_at IS 'When it was stored';
COMMENT ON COLUMN v_ratings.comment IS 'What the rater added in words';
COMMENT ON COLUMN v_ratings.answer IS 'All that was answered on the screen, a JSON object';

COMMENT ON VIEW v_scores IS 'One row a score: one metric on one item of one run';
COMMENT ON COLUMN v_scores.run_id IS 'The run';
COMMENT ON COLUMN v_scores.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_scores.system IS 'Name of the system that answered';
COMMENT ON COLUMN v_scores.task IS 'golden, rating, or a regression task such as mmlu';
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
