-- One run. Times are seconds; decisions, labels and mappings are JSON; states are little-endian float32.
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- Seeds that could not be read.
CREATE TABLE IF NOT EXISTS skipped ("case" INTEGER PRIMARY KEY, reason TEXT NOT NULL) STRICT;

-- What both variants answered on each seed. outcome: agree, natural, nonfinite, crash.
CREATE TABLE IF NOT EXISTS screened (
  "case" INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  label TEXT,
  columns TEXT NOT NULL,
  outcome TEXT NOT NULL,
  unconfirmed INTEGER NOT NULL,
  tied INTEGER NOT NULL,
  reference_decision TEXT,
  reference_log_score REAL,
  reference_state BLOB,
  candidate_decision TEXT,
  candidate_log_score REAL,
  candidate_state BLOB
) STRICT;

-- Cases whose search is over. outcome: found, nonfinite, crash, exhausted, timeout.
CREATE TABLE IF NOT EXISTS searched (
  "case" INTEGER PRIMARY KEY,
  outcome TEXT NOT NULL,
  queries INTEGER NOT NULL,
  unconfirmed INTEGER NOT NULL
) STRICT;

-- Confirmed findings, one a case. phase: screen, search. kind: deviation, nonfinite, crash.
CREATE TABLE IF NOT EXISTS findings (
  "case" INTEGER PRIMARY KEY,
  seed_name TEXT NOT NULL,
  seed_label TEXT,
  phase TEXT NOT NULL,
  kind TEXT NOT NULL,
  message TEXT NOT NULL,
  queries INTEGER NOT NULL,
  tied INTEGER NOT NULL,
  reference_decision TEXT,
  reference_log_score REAL,
  reference_state BLOB,
  candidate_decision TEXT,
  candidate_log_score REAL,
  candidate_state BLOB,
  chain TEXT NOT NULL,
  last_draw TEXT NOT NULL,
  distances TEXT NOT NULL,
  reference_margin REAL,
  candidate_margin REAL,
  grade TEXT NOT NULL,
  region TEXT NOT NULL,
  columns TEXT NOT NULL,
  suffix TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  sample BLOB NOT NULL,
  seed BLOB NOT NULL
) STRICT;

-- What became of findings that were refined, one row for each that is done. phase: shrink, amplify. queries: those of the
-- phase. A finding that could not be made better is here as it was. What is not here is as in findings.
CREATE TABLE IF NOT EXISTS derived (
  "case" INTEGER NOT NULL REFERENCES findings,
  phase TEXT NOT NULL,
  queries INTEGER NOT NULL,
  unconfirmed INTEGER NOT NULL,
  tied INTEGER NOT NULL,
  reference_decision TEXT,
  reference_log_score REAL,
  reference_state BLOB,
  candidate_decision TEXT,
  candidate_log_score REAL,
  candidate_state BLOB,
  chain TEXT NOT NULL,
  distances TEXT NOT NULL,
  reference_margin REAL,
  candidate_margin REAL,
  grade TEXT NOT NULL,
  region TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  sample BLOB NOT NULL,
  PRIMARY KEY ("case", phase)
) STRICT;
