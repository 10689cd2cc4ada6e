import type { Migration } from '../migrate.ts';

/** Adds the jobs of IAM Access Analyzer that generate policies. */
export const migration: Migration = {
  title: 'jobs that generate policies',
  statements: [
    `CREATE TABLE policy_generation (
      account_id {text} NOT NULL, region {text} NOT NULL, job_id {text} NOT NULL, principal_arn {text} NOT NULL, status {text} NOT NULL,
      started_at_ms {int} NOT NULL, ended_at_ms {int}, error_code {text}, error_message {text}, request {text} NOT NULL, result {text},
      revision {int} NOT NULL, claimed_until_ms {int} NOT NULL,
      PRIMARY KEY (account_id, region, job_id)) {clustered}`,
    'CREATE INDEX policy_generation_account ON policy_generation (account_id, region, started_at_ms, job_id)',
    'CREATE INDEX policy_generation_started ON policy_generation (started_at_ms)',
    'CREATE INDEX policy_generation_due ON policy_generation (started_at_ms, job_id) WHERE ended_at_ms IS NULL',
  ],
};
