import type { Migration } from '../migrate.ts';

/** Marks the sessions of people of Amazon Chime that have credentials of an AWS account. */
export const migration: Migration = {
  title: 'credentials of people',
  statements: ['ALTER TABLE chime_session ADD COLUMN credentials {text}'],
};
