import type { Migration } from '../migrate.ts';

/** Access previews of IAM Access Analyzer. Their contents are in a table of their own, so that a list of previews does not read them. */
export const migration: Migration = {
  title: 'access previews',
  statements: [
    `CREATE TABLE access_preview (
      analyzer_id {text} NOT NULL, id {text} NOT NULL, status {text} NOT NULL, reason {text}, created_at_ms {int} NOT NULL,
      PRIMARY KEY (analyzer_id, id)) {clustered}`,
    'CREATE INDEX access_preview_of_analyzer ON access_preview (analyzer_id, created_at_ms, id)',
    'CREATE INDEX access_preview_created ON access_preview (created_at_ms)',
    `CREATE TABLE access_preview_content (
      analyzer_id {text} NOT NULL, id {text} NOT NULL, configurations {text} NOT NULL, proposal {text},
      PRIMARY KEY (analyzer_id, id)) {clustered}`,
  ],
};
