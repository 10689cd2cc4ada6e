/** The shape of a compliance report: the content of `report.json`. */
import { described, type JsonSchema, list, type Of, object, text, time, whole } from '../shape.ts';
import { ACCESS } from './access.ts';
import { ACTIVITY } from './activity.ts';
import { CREDENTIALS } from './credentials.ts';
import { FINDINGS } from './findings.ts';
import { RESPONSIBILITY } from './responsibility.ts';
import { RETENTION } from './retention.ts';
import { RULES } from './rules.ts';
import { SOFTWARE } from './software.ts';
import { TLS } from './tls.ts';
import { TRAIL } from './trail-integrity.ts';

/** Name of the format. Its number grows if a member changes its meaning or disappears. */
export const FORMAT = 'belfry-compliance-report-1';

export const REPORT = object({
  format: described(text, FORMAT),
  generatedAt: time,
  statement: described(text, 'What the report is not.'),
  accounts: list(object({ accountId: text, name: text })),
  days: described(whole, 'Days before the report whose requests are counted.'),
  settingsFrom: described(text, 'How the settings of the server are known.'),
  access: ACCESS,
  activity: ACTIVITY,
  credentials: CREDENTIALS,
  rules: RULES,
  findings: FINDINGS,
  trail: TRAIL,
  tls: TLS,
  software: SOFTWARE,
  retention: RETENTION,
  responsibility: RESPONSIBILITY,
  notAssessed: list(text),
});
export type ComplianceReport = Of<typeof REPORT>;

/** JSON Schema of `report.json`. */
export const REPORT_SCHEMA: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Compliance report of Belfry',
  ...REPORT.schema,
};
