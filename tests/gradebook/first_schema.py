"""The tables of the first version, as that version made them: gradebooks like this are about."""

FIRST_SQLITE = """
CREATE TABLE batches (id VARCHAR(36) NOT NULL, assignment VARCHAR(200) NOT NULL,
    started_at DATETIME NOT NULL, finished_at DATETIME, seed BIGINT NOT NULL,
    settings JSON NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_batches_assignment ON batches (assignment);
CREATE TABLE grader_schema (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE verdicts (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, batch VARCHAR(36) NOT NULL,
    assignment VARCHAR(200) NOT NULL, student TEXT NOT NULL, attempt INTEGER NOT NULL,
    submission_sha256 VARCHAR(64) NOT NULL, bundle_sha256 VARCHAR(64) NOT NULL,
    image TEXT NOT NULL, outcome VARCHAR(30) NOT NULL, points INTEGER NOT NULL,
    max_points INTEGER NOT NULL, made_at DATETIME NOT NULL, verdict_json TEXT NOT NULL,
    notebook_zlib BLOB, FOREIGN KEY(batch) REFERENCES batches (id));
CREATE INDEX ix_verdicts_batch ON verdicts (batch);
CREATE INDEX verdicts_of_a_student ON verdicts (assignment, student, attempt);
INSERT INTO grader_schema VALUES (1)
"""

FIRST_POSTGRESQL = (
    FIRST_SQLITE.replace("DATETIME", "TIMESTAMP WITHOUT TIME ZONE")
    .replace("id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "id SERIAL PRIMARY KEY")
    .replace("version INTEGER", "version SERIAL")
    .replace("BLOB", "BYTEA")
)
