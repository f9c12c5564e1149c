"""The ledger's tables. Events are only ever added; a case's row is what its events say, folded by triggers.

A state is never written, it follows from what is known of the case:

    disputed  two copies of one batch answer differently, even where one of them had closed the case
    closed    answered about this evidence, and its chain of signatures is complete; or a promised correction that the data show
    cleared   the last round that could tell no longer finds it
    exempt    set free of questions while its evidence is this one
    promised  so, signed, and to be corrected: it waits for the data
    answered  answered about this evidence, not yet signed off
    dispatched  a workbook is out and has not come back
    reopened  once answered, cleared or exempt, and to be asked again
    new       never asked

The first that holds is the state. "About this evidence" is what keeps an explained case from coming back: the answer holds
as long as the departments' data say the same thing.

Who is asked about a case (`receiver`) is what its rule said when it was last found; where no township is known, the county.
"""

from __future__ import annotations

ANSWER_FIELDS = ("verdict", "reason", "action", "material", "checker", "phone", "checked_on")
_WEIGHED = ANSWER_FIELDS[
    :4
]  # where these differ two copies contradict each other; who wrote them down is no contradiction
_FIRST = """
CREATE TABLE rounds (
  round INTEGER PRIMARY KEY,
  run TEXT NOT NULL UNIQUE,          -- sha256 of the run's manifest: one run is booked once
  project TEXT NOT NULL,
  jurisdiction TEXT NOT NULL,
  stage TEXT NOT NULL,
  as_of TEXT NOT NULL,
  day TEXT NOT NULL,
  people TEXT NOT NULL,              -- the file with what each case shows; no person stands in this database
  found INTEGER NOT NULL, new INTEGER NOT NULL, continuing INTEGER NOT NULL, changed INTEGER NOT NULL,
  reopened INTEGER NOT NULL, cleared INTEGER NOT NULL, gone INTEGER NOT NULL, untold INTEGER NOT NULL,
  missed_before INTEGER NOT NULL, cleared_before INTEGER NOT NULL, not_compared INTEGER NOT NULL
) STRICT;

CREATE TABLE batches (
  batch INTEGER PRIMARY KEY,
  day TEXT NOT NULL,
  due TEXT NOT NULL,
  chain TEXT NOT NULL,               -- who signs, as the packs had it when the batch went out
  manifest TEXT NOT NULL             -- sha256 of the batch's manifest, so that a folder can be known as its own
) STRICT;

CREATE TABLE files (                 -- what came back, by content: the same bytes twice are one return
  sha256 TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  day TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- As much of these two as retelling asks of them; what they are today stands in _AGAIN.
CREATE TABLE cases (
  case_id TEXT PRIMARY KEY, rule_id TEXT NOT NULL, severity TEXT NOT NULL, department TEXT, title TEXT,
  county TEXT, township TEXT, village TEXT, household TEXT
) STRICT;
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, case_id TEXT NOT NULL, kind TEXT NOT NULL, day TEXT NOT NULL, round INTEGER, batch INTEGER, file TEXT,
  evidence TEXT, detail TEXT, once TEXT
) STRICT;
"""
# A case is what its events say, so a change in how they are folded is made by telling them again to new tables.
_AGAIN = """
ALTER TABLE rounds ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;   -- closed, and now the data agree
ALTER TABLE rounds ADD COLUMN promised INTEGER NOT NULL DEFAULT 0;    -- promised, and not yet corrected
CREATE TABLE known AS SELECT * FROM cases;
CREATE TABLE happened AS SELECT * FROM events;
DROP TABLE events;
DROP TABLE cases;
CREATE TABLE cases (
  case_id TEXT PRIMARY KEY,
  rule_id TEXT NOT NULL, severity TEXT NOT NULL, department TEXT, title TEXT,
  county TEXT, township TEXT, village TEXT, household TEXT,   -- the household as a keyed hash
  -- below: folded from the events
  first_round INTEGER, stage TEXT, evidence TEXT, present INTEGER NOT NULL DEFAULT 0, back INTEGER NOT NULL DEFAULT 0,
  moved TEXT,                        -- the day of the last event
  sent_batch INTEGER, sent_evidence TEXT, due TEXT,
  answered_batch INTEGER, answered_evidence TEXT, answered_on TEXT, disputed INTEGER NOT NULL DEFAULT 0,
  verdict TEXT, reason TEXT, action TEXT, material TEXT, checker TEXT, phone TEXT, checked_on TEXT,
  signed INTEGER NOT NULL DEFAULT 0,
  exempt_evidence TEXT, exempt_until TEXT,
  closed_evidence TEXT, promised_evidence TEXT,
  receiver TEXT NOT NULL DEFAULT 'village' CHECK (receiver IN ('village', 'county')),
  state TEXT NOT NULL GENERATED ALWAYS AS (CASE
    WHEN disputed = 1 AND answered_evidence = evidence AND present = 1 AND exempt_evidence IS NOT evidence THEN 'disputed'
    WHEN closed_evidence = evidence OR (promised_evidence = evidence AND present = 0) THEN 'closed'
    WHEN present = 0 THEN 'cleared'
    WHEN exempt_evidence = evidence THEN 'exempt'
    WHEN promised_evidence = evidence THEN 'promised'
    WHEN answered_evidence = evidence THEN 'answered'
    WHEN sent_batch > coalesce(answered_batch, 0) THEN 'dispatched'
    WHEN back = 1 OR answered_batch IS NOT NULL OR exempt_evidence IS NOT NULL THEN 'reopened'
    ELSE 'new' END) VIRTUAL
) STRICT;                           -- with row ids: a third faster to fold than by its text key
-- Begun only with a case's first event: half the work of a round that finds everything anew. Ask with first_round IS NOT NULL.
CREATE INDEX cases_by_state ON cases (state) WHERE first_round IS NOT NULL;
-- One for each way in which cases are asked for; with the number, so that the first few need no sorting.
CREATE INDEX cases_by_rule ON cases (rule_id, case_id);
CREATE INDEX cases_by_severity ON cases (severity, case_id);
CREATE INDEX cases_by_place ON cases (county, township, village);
CREATE INDEX cases_by_township ON cases (township, village);
CREATE INDEX cases_by_village ON cases (village);
CREATE INDEX cases_by_household ON cases (household);
CREATE INDEX cases_by_batch ON cases (sent_batch) WHERE sent_batch IS NOT NULL;

CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES cases,
  kind TEXT NOT NULL CHECK (kind IN ('found', 'changed', 'returned', 'cleared', 'dispatched', 'answered', 'settled', 'signed',
    'filed', 'closed', 'promised', 'reopened', 'exempted', 'lapsed')),
  day TEXT NOT NULL,
  round INTEGER REFERENCES rounds,
  batch INTEGER REFERENCES batches,
  file TEXT REFERENCES files,
  evidence TEXT,
  detail TEXT CHECK (detail IS NULL OR json_valid(detail)),
  once TEXT                          -- what must not be booked twice: an answer, a signature
) STRICT;
CREATE INDEX events_by_case ON events (case_id, seq);
CREATE UNIQUE INDEX events_once ON events (once) WHERE once IS NOT NULL;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
BEGIN SELECT raise(ABORT, 'events are only ever added'); END;
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT raise(ABORT, 'events are only ever added'); END;
CREATE TRIGGER cases_are_never_deleted BEFORE DELETE ON cases
BEGIN SELECT raise(ABORT, 'cases are never deleted'); END;

CREATE TRIGGER fold_found AFTER INSERT ON events WHEN new.kind IN ('found', 'changed', 'returned')
BEGIN
  UPDATE cases SET present = 1, evidence = new.evidence, moved = new.day,
    first_round = coalesce(first_round, new.round),
    stage = coalesce(json_extract(new.detail, '$.stage'), stage),
    receiver = CASE WHEN trim(coalesce(township, '')) = '' THEN 'county' ELSE coalesce(json_extract(new.detail, '$.receiver'),
      CASE severity WHEN 'info' THEN 'county' ELSE 'village' END) END,
    back = back OR new.kind = 'returned'
  WHERE case_id = new.case_id;
END;

CREATE TRIGGER fold_cleared AFTER INSERT ON events WHEN new.kind = 'cleared'
BEGIN
  UPDATE cases SET present = 0, moved = new.day WHERE case_id = new.case_id;
END;

CREATE TRIGGER fold_dispatched AFTER INSERT ON events WHEN new.kind = 'dispatched'
BEGIN
  UPDATE cases SET sent_batch = new.batch, sent_evidence = new.evidence, moved = new.day,
    due = (SELECT due FROM batches WHERE batch = new.batch)
  WHERE case_id = new.case_id;
END;

-- Copies of one batch are joined field by field, in whatever order they come: what one leaves open another may fill, and where
-- two fill it differently nobody wins. An answer to a later batch replaces those to earlier ones.
CREATE TRIGGER fold_answered AFTER INSERT ON events WHEN new.kind IN ('answered', 'settled')
BEGIN
  UPDATE cases SET @forgotten, disputed = 0, promised_evidence = NULL,
    closed_evidence = CASE WHEN new.kind = 'settled' THEN NULL ELSE closed_evidence END,
    signed = CASE WHEN new.kind = 'settled' THEN signed ELSE 0 END,
    answered_batch = new.batch, answered_evidence = new.evidence, answered_on = new.day
  WHERE case_id = new.case_id
    AND (new.batch > coalesce(answered_batch, 0) OR (new.kind = 'settled' AND new.batch = answered_batch));
  UPDATE cases SET @joined, disputed = disputed @or_differs, moved = new.day, answered_on = min(answered_on, new.day)
  WHERE case_id = new.case_id AND new.batch = answered_batch AND (new.kind = 'settled' OR NOT EXISTS (
    SELECT 1 FROM events WHERE case_id = new.case_id AND kind = 'settled' AND batch = new.batch AND seq < new.seq));
END;

CREATE TRIGGER fold_signed AFTER INSERT ON events WHEN new.kind = 'signed'
BEGIN
  UPDATE cases SET signed = signed + 1, moved = new.day WHERE case_id = new.case_id AND new.batch = answered_batch;
END;

CREATE TRIGGER fold_closed AFTER INSERT ON events WHEN new.kind = 'closed'
BEGIN
  UPDATE cases SET closed_evidence = new.evidence, moved = new.day WHERE case_id = new.case_id;
END;

CREATE TRIGGER fold_promised AFTER INSERT ON events WHEN new.kind = 'promised'
BEGIN
  UPDATE cases SET promised_evidence = new.evidence, moved = new.day WHERE case_id = new.case_id;
END;

-- Somebody asks again, and says why: no answer to this evidence counts any more.
CREATE TRIGGER fold_reopened AFTER INSERT ON events WHEN new.kind = 'reopened'
BEGIN
  UPDATE cases SET closed_evidence = NULL, promised_evidence = NULL, answered_evidence = '', disputed = 0, back = 1,
    exempt_evidence = CASE WHEN exempt_evidence IS NULL THEN NULL ELSE '' END, exempt_until = NULL, moved = new.day
  WHERE case_id = new.case_id;
END;

CREATE TRIGGER fold_exempted AFTER INSERT ON events WHEN new.kind = 'exempted'
BEGIN
  UPDATE cases SET exempt_evidence = new.evidence, exempt_until = json_extract(new.detail, '$.until'), moved = new.day
  WHERE case_id = new.case_id;
END;

CREATE TRIGGER fold_lapsed AFTER INSERT ON events WHEN new.kind = 'lapsed'
BEGIN
  UPDATE cases SET exempt_evidence = '', exempt_until = NULL, moved = new.day WHERE case_id = new.case_id;
END;

INSERT INTO cases (case_id, rule_id, severity, department, title, county, township, village, household)
  SELECT case_id, rule_id, severity, department, title, county, township, village, household FROM known;
INSERT INTO events SELECT seq, case_id, kind, day, round, batch, file, evidence, detail, once FROM happened ORDER BY seq;
DROP TABLE known;
DROP TABLE happened;
"""
_TOLD = "json_extract(new.detail, '$.{0}')"
_AGAIN = (
    _AGAIN.replace("@forgotten", ", ".join(f"{name} = NULL" for name in ANSWER_FIELDS))
    .replace(
        "@joined",
        ", ".join(f"{name} = coalesce(min({name}, {_TOLD}), {name}, {_TOLD})".format(name) for name in ANSWER_FIELDS),
    )
    .replace("@or_differs", " ".join(f"OR coalesce({name} <> {_TOLD}, 0)".format(name) for name in _WEIGHED))
)
_CHAINED = """
-- sha256 of the chain before, this round's run, and the events booked since; none for rounds of older programs
ALTER TABLE rounds ADD COLUMN chain TEXT;
ALTER TABLE rounds ADD COLUMN chained_until INTEGER;  -- the last event that the link holds: those of this round are in the next
CREATE TRIGGER rounds_are_never_changed BEFORE UPDATE ON rounds
BEGIN SELECT raise(ABORT, 'rounds are only ever added'); END;
CREATE TRIGGER rounds_are_never_deleted BEFORE DELETE ON rounds
BEGIN SELECT raise(ABORT, 'rounds are only ever added'); END;
"""
_NOTED = """
ALTER TABLE rounds ADD COLUMN notes INTEGER;  -- how many of the found accuse nobody; rounds of older programs did not count them
"""
_HELD = """
-- 2: the link holds the figures of its round, what cases are about and what was sent, too
ALTER TABLE rounds ADD COLUMN holds INTEGER NOT NULL DEFAULT 1;
ALTER TABLE rounds ADD COLUMN people_sha256 TEXT;  -- of the file with what each case shows
CREATE TRIGGER cases_stay_what_they_are_about
BEFORE UPDATE OF case_id, rule_id, severity, department, title, county, township, village, household ON cases
BEGIN SELECT raise(ABORT, 'what a case is about never changes'); END;
"""
# Each is run once, in order; PRAGMA user_version counts those that were.
MIGRATIONS = (_FIRST, _AGAIN, _CHAINED, _NOTED, _HELD)
HOLDS = 2  # what links of new rounds hold
STATES = {  # state → what people read
    "new": ("新发现", "new"),
    "reopened": ("重新核查", "reopened"),
    "dispatched": ("已下发", "dispatched"),
    "answered": ("已反馈", "answered"),
    "disputed": ("反馈矛盾", "disputed"),
    "promised": ("待更正", "correction promised"),
    "closed": ("已销号", "closed"),
    "cleared": ("数据已消除", "cleared by the data"),
    "exempt": ("豁免", "exempt"),
}
OPEN = ("new", "reopened", "dispatched", "answered", "disputed", "promised")  # what still needs somebody
TO_ASK = ("new", "reopened")  # what the next batch sends
PROMISE = "拟修改"  # the answer that says the register will be corrected
CORRECTED = ("已修改", "清退")  # answers that put the register right
CORRECTING = (*CORRECTED, PROMISE)  # …, or say that it will be: nothing of what is not so
TRUE_VERDICTS, NOT_SO = ("属实", "部分属实"), "不属实"
VILLAGE, COUNTY = "village", "county"  # who is asked about a case
