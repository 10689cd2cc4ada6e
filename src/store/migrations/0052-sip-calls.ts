import type { Migration } from '../migrate.ts';

/** Creates the table of calls of Voice Connectors, and finds a Voice Connector by its ID. */
export const migration: Migration = {
  title: 'SIP calls',
  statements: [
    "CREATE INDEX resource_vc ON resource (id) WHERE kind = 'vc'",
    `CREATE TABLE sip_call (
      transaction_id {text} NOT NULL, account_id {text} NOT NULL, voice_connector_id {text} NOT NULL, created_at_ms {int} NOT NULL,
      due_at_ms {int}, forgotten_at_ms {int} NOT NULL, document {text} NOT NULL,
      PRIMARY KEY (transaction_id)) {clustered}`,
    'CREATE INDEX sip_call_due ON sip_call (due_at_ms) WHERE due_at_ms IS NOT NULL',
    'CREATE INDEX sip_call_due_of_account ON sip_call (account_id, due_at_ms) WHERE due_at_ms IS NOT NULL',
    'CREATE INDEX sip_call_forgotten ON sip_call (forgotten_at_ms)',
  ],
};
