-- The registry: verdicts, waivers, promotions and rollbacks as one append-only chain. Each event holds the hash of the one
-- before, and a signature of its own hash made with the home's key, which is a file and not in here.
-- What an alias points at, and which waivers hold, are views.

CREATE TABLE registry_events (
    sequence BIGINT PRIMARY KEY,
    kind VARCHAR NOT NULL CHECK (kind IN ('verdict', 'waiver', 'promotion', 'rollback')),
    event_id VARCHAR NOT NULL,
    alias VARCHAR,
    recorded_at TIMESTAMPTZ NOT NULL,
    payload JSON NOT NULL,
    previous_hash VARCHAR NOT NULL,
    hash VARCHAR NOT NULL,
    signature VARCHAR NOT NULL
);

CREATE VIEW v_registry AS
SELECT
    sequence,
    kind,
    event_id,
    alias,
    payload ->> 'run_id' AS run_id,
    recorded_at,
    hash,
    previous_hash,
    signature,
    payload
FROM registry_events;

CREATE VIEW v_waivers AS
SELECT
    event_id AS waiver_id,
    payload ->> 'verdict_id' AS verdict_id,
    payload ->> 'gate' AS gate,
    alias,
    payload ->> 'run_id' AS run_id,
    payload ->> 'reason' AS reason,
    payload ->> 'by' AS waived_by,
    recorded_at,
    CAST(payload ->> 'until' AS TIMESTAMPTZ) AS until,
    CAST(payload ->> 'until' AS TIMESTAMPTZ) >= now() AS is_active
FROM registry_events
WHERE kind = 'waiver';

CREATE VIEW v_verdicts AS
SELECT
    events.event_id AS verdict_id,
    events.payload ->> 'experiment' AS experiment,
    events.alias,
    events.payload ->> 'candidate' AS candidate,
    events.payload ->> 'run_id' AS run_id,
    events.payload ->> 'outcome' AS outcome,
    CAST(events.payload ->> '$.gates[*].name' AS VARCHAR[]) AS gates,
    list_filter(
        CAST(events.payload ->> '$.gates[*].name' AS VARCHAR[]),
        lambda name, place: CAST(events.payload ->> '$.gates[*].outcome' AS VARCHAR[])[place] <> 'pass'
    ) AS gates_not_passed,
    coalesce(waived.gates, []) AS gates_waived,
    events.payload ->> 'policy_name' AS policy_name,
    events.payload ->> 'policy_sha256' AS policy_sha256,
    events.payload ->> 'golden_version' AS golden_version,
    events.payload ->> 'golden_sha256' AS golden_sha256,
    CAST(events.payload ->> 'confidence' AS DOUBLE) AS confidence,
    CAST(events.payload ->> 'seed' AS BIGINT) AS seed,
    events.recorded_at AS decided_at,
    events.sequence,
    events.payload
FROM registry_events AS events
LEFT JOIN (
    SELECT verdict_id, list(DISTINCT gate ORDER BY gate) AS gates FROM v_waivers WHERE is_active GROUP BY verdict_id
) AS waived ON waived.verdict_id = events.event_id
WHERE events.kind = 'verdict';

CREATE VIEW v_findings AS
SELECT
    gates.verdict_id,
    gates.run_id,
    gates.gate ->> 'name' AS gate,
    gates.gate ->> 'outcome' AS gate_outcome,
    findings.finding ->> 'subject' AS subject,
    findings.finding ->> 'outcome' AS outcome,
    CAST(findings.finding ->> 'value' AS DOUBLE) AS value,
    CAST(findings.finding ->> 'low' AS DOUBLE) AS low,
    CAST(findings.finding ->> 'high' AS DOUBLE) AS high,
    CAST(findings.finding ->> 'limit' AS DOUBLE) AS gate_limit,
    CAST(findings.finding ->> 'n' AS BIGINT) AS n,
    CAST(findings.finding ->> 'n_missing' AS BIGINT) AS n_missing,
    findings.finding ->> 'test' AS test,
    findings.finding ->> 'words' AS words,
    findings.finding ->> 'remedy' AS remedy
FROM (
    SELECT event_id AS verdict_id, payload ->> 'run_id' AS run_id, unnest(CAST(payload -> 'gates' AS JSON[])) AS gate
    FROM registry_events
    WHERE kind = 'verdict'
) AS gates, unnest(CAST(gates.gate -> 'findings' AS JSON[])) AS findings (finding);

CREATE VIEW v_aliases AS
WITH latest AS (
    SELECT * FROM registry_events
    WHERE kind IN ('promotion', 'rollback')
    QUALIFY row_number() OVER (PARTITION BY alias ORDER BY sequence DESC) = 1
)
SELECT
    latest.alias,
    latest.payload ->> 'run_id' AS run_id,
    runs.experiment,
    runs.system,
    latest.payload ->> 'verdict_id' AS verdict_id,
    verdicts.payload ->> 'outcome' AS verdict_outcome,
    CAST(latest.payload ->> '$.waiver_ids[*]' AS VARCHAR[]) AS waiver_ids,
    (
        SELECT list(expired.waiver_id ORDER BY expired.waiver_id) FROM v_waivers AS expired
        WHERE list_contains(CAST(latest.payload ->> '$.waiver_ids[*]' AS VARCHAR[]), expired.waiver_id)
        AND NOT EXISTS (
            SELECT 1 FROM v_waivers AS holding
            WHERE holding.is_active AND holding.verdict_id = expired.verdict_id AND holding.gate = expired.gate
        )
    ) AS expired_waiver_ids,
    latest.kind = 'rollback' AS is_rollback,
    latest.payload ->> 'reason' AS reason,
    latest.payload ->> '$.base_model.name' AS base_model,
    latest.payload ->> 'adapter_path' AS adapter_path,
    latest.payload ->> 'adapter_sha256' AS adapter_sha256,
    latest.payload ->> 'by' AS promoted_by,
    latest.recorded_at AS promoted_at,
    latest.event_id AS promotion_id,
    latest.sequence
FROM latest
LEFT JOIN runs ON runs.run_id = (latest.payload ->> 'run_id')
LEFT JOIN registry_events AS verdicts
    ON verdicts.kind = 'verdict' AND verdicts.event_id = (latest.payload ->> 'verdict_id');

COMMENT ON VIEW v_registry IS 'One row an event of the registry, as chained; harness verify checks the chain';
COMMENT ON COLUMN v_registry.sequence IS 'Place in the chain, from 1 without gaps';
COMMENT ON COLUMN v_registry.kind IS 'verdict, waiver, promotion or rollback';
COMMENT ON COLUMN v_registry.event_id IS 'Id of the verdict, waiver or promotion';
COMMENT ON COLUMN v_registry.alias IS 'NAME@STAGE; NULL for a verdict whose policy names none';
COMMENT ON COLUMN v_registry.run_id IS 'The run that it is about';
COMMENT ON COLUMN v_registry.recorded_at IS 'When it was decided';
COMMENT ON COLUMN v_registry.hash IS 'SHA-256 over the rest of the row but the signature';
COMMENT ON COLUMN v_registry.previous_hash IS 'Hash of the event before; 64 zeros for the first';
COMMENT ON COLUMN v_registry.signature IS 'HMAC-SHA256 of the hash with the home''s key';
COMMENT ON COLUMN v_registry.payload IS 'The verdict, waiver or promotion whole, a JSON object';

COMMENT ON VIEW v_waivers IS 'One row a waiver: a signed, expiring exception for one gate of one verdict';
COMMENT ON COLUMN v_waivers.waiver_id IS 'The waiver';
COMMENT ON COLUMN v_waivers.verdict_id IS 'The verdict';
COMMENT ON COLUMN v_waivers.gate IS 'Name of the gate that did not pass';
COMMENT ON COLUMN v_waivers.alias IS 'NAME@STAGE that it holds for';
COMMENT ON COLUMN v_waivers.run_id IS 'The run that it holds for';
COMMENT ON COLUMN v_waivers.reason IS 'Why, in the words of whoever waived';
COMMENT ON COLUMN v_waivers.waived_by IS 'Who waived';
COMMENT ON COLUMN v_waivers.recorded_at IS 'When it was recorded';
COMMENT ON COLUMN v_waivers.until IS 'Last moment it holds';
COMMENT ON COLUMN v_waivers.is_active IS 'Whether it holds now';

COMMENT ON VIEW v_verdicts IS 'One row a verdict: a policy applied to stored evidence of one run';
COMMENT ON COLUMN v_verdicts.verdict_id IS 'The verdict';
COMMENT ON COLUMN v_verdicts.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_verdicts.alias IS 'NAME@STAGE that the policy is for; NULL if it names none';
COMMENT ON COLUMN v_verdicts.candidate IS 'Name that the run was asked for by';
COMMENT ON COLUMN v_verdicts.run_id IS 'The run that was judged';
COMMENT ON COLUMN v_verdicts.outcome IS 'pass, fail or inconclusive; waivers do not change it';
COMMENT ON COLUMN v_verdicts.gates IS 'Names of the gates, in the policy''s order';
COMMENT ON COLUMN v_verdicts.gates_not_passed IS 'Names of those that failed or were inconclusive';
COMMENT ON COLUMN v_verdicts.gates_waived IS 'Names of those with a waiver that holds now';
COMMENT ON COLUMN v_verdicts.policy_name IS 'Name of the policy';
COMMENT ON COLUMN v_verdicts.policy_sha256 IS 'SHA-256 of the policy as resolved';
COMMENT ON COLUMN v_verdicts.golden_version IS 'Version of the golden set';
COMMENT ON COLUMN v_verdicts.golden_sha256 IS 'SHA-256 of its golden.jsonl';
COMMENT ON COLUMN v_verdicts.confidence IS 'Of the two-sided intervals, a proportion';
COMMENT ON COLUMN v_verdicts.seed IS 'Of every resampling';
COMMENT ON COLUMN v_verdicts.decided_at IS 'When it was decided';
COMMENT ON COLUMN v_verdicts.sequence IS 'Place in the registry''s chain';
COMMENT ON COLUMN v_verdicts.payload IS 'The verdict whole, a JSON object';

COMMENT ON VIEW v_findings IS 'One row a number that a gate of a verdict held against a limit';
COMMENT ON COLUMN v_findings.verdict_id IS 'The verdict';
COMMENT ON COLUMN v_findings.run_id IS 'The run that was judged';
COMMENT ON COLUMN v_findings.gate IS 'Name of the gate';
COMMENT ON COLUMN v_findings.gate_outcome IS 'Outcome of the gate: pass, fail or inconclusive';
COMMENT ON COLUMN v_findings.subject IS 'Whose number it is, such as lora - zero_shot';
COMMENT ON COLUMN v_findings.outcome IS 'Outcome of this finding: pass, fail or inconclusive';
COMMENT ON COLUMN v_findings.value IS 'In the metric''s unit, differences signed so that positive is better; NULL if there is no number';
COMMENT ON COLUMN v_findings.low IS 'Lower bound of its interval; NULL if there is none';
COMMENT ON COLUMN v_findings.high IS 'Upper bound of its interval; NULL if there is none';
COMMENT ON COLUMN v_findings.gate_limit IS 'What it was held against, in the same unit and sign';
COMMENT ON COLUMN v_findings.n IS 'Items, or pairs for a difference';
COMMENT ON COLUMN v_findings.n_missing IS 'Items without a value';
COMMENT ON COLUMN v_findings.test IS 'Name of the method';
COMMENT ON COLUMN v_findings.words IS 'The reason in one sentence';
COMMENT ON COLUMN v_findings.remedy IS 'What would change an outcome that is not a pass';

COMMENT ON VIEW v_aliases IS 'One row an alias: what it points at now, and what that rests on';
COMMENT ON COLUMN v_aliases.alias IS 'NAME@STAGE';
COMMENT ON COLUMN v_aliases.run_id IS 'The run it points at';
COMMENT ON COLUMN v_aliases.experiment IS 'Name of the experiment';
COMMENT ON COLUMN v_aliases.system IS 'Name of the system';
COMMENT ON COLUMN v_aliases.verdict_id IS 'The verdict that it rests on';
COMMENT ON COLUMN v_aliases.verdict_outcome IS 'Outcome of that verdict; if not pass, the waivers let it through';
COMMENT ON COLUMN v_aliases.waiver_ids IS 'Waivers that it rests on';
COMMENT ON COLUMN v_aliases.expired_waiver_ids IS 'Those of them that hold no longer and were not renewed; NULL if none';
COMMENT ON COLUMN v_aliases.is_rollback IS 'Whether it points here because a later promotion was taken back';
COMMENT ON COLUMN v_aliases.reason IS 'Why it was rolled back; NULL for a promotion';
COMMENT ON COLUMN v_aliases.base_model IS 'Name of the base model';
COMMENT ON COLUMN v_aliases.adapter_path IS 'Folder of the adapter, relative to the home; NULL if the run has none';
COMMENT ON COLUMN v_aliases.adapter_sha256 IS 'Hash of the adapter; NULL if the run has none';
COMMENT ON COLUMN v_aliases.promoted_by IS 'Who promoted or rolled back';
COMMENT ON COLUMN v_aliases.promoted_at IS 'When';
COMMENT ON COLUMN v_aliases.promotion_id IS 'Id of the promotion or rollback';
COMMENT ON COLUMN v_aliases.sequence IS 'Place in the registry''s chain';
