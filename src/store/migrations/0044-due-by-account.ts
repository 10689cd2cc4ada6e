import type { Migration } from '../migrate.ts';

/** Finds the due alarms and the due schedules of one account, so that accounts take turns. */
export const migration: Migration = {
  title: 'due alarms and schedules by account',
  statements: [
    'CREATE INDEX cloudwatch_alarm_turn ON cloudwatch_alarm (account_id, due_at_ms) WHERE due_at_ms IS NOT NULL',
    'CREATE INDEX event_rule_turn ON event_rule (account_id, schedule_at_ms) WHERE schedule_at_ms IS NOT NULL',
  ],
};
