import type { ServiceName } from './model.ts';

/** Prefix of the IAM actions of each service, such as `chime` in `chime:CreateChannel`. */
// biome-ignore format: a table
export const ACTION_PREFIXES = {
  'chime':                     'chime',
  'chime-sdk-identity':        'chime',
  'chime-sdk-meetings':        'chime',
  'chime-sdk-messaging':       'chime',
  'chime-sdk-media-pipelines': 'chime',
  'chime-sdk-voice':           'chime',
  'iam':                       'iam',
  'sts':                       'sts',
  'cloudtrail':                'cloudtrail',
  'events':                    'events',
  'cloudwatch':                'cloudwatch',
  'accessanalyzer':            'access-analyzer',
  'organizations':             'organizations',
} as const satisfies Record<ServiceName, string>;

/**
 * Operations whose action has another name.
 *
 * Source: Service Authorization Reference, IAM Access Analyzer, which has no actions for the V2 operations.
 */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'access-analyzer:GetFindingV2': 'GetFinding',
  'access-analyzer:ListFindingsV2': 'ListFindings',
};

/** Returns the action that an operation requires: `actionName('chime-sdk-messaging', 'CreateChannel')` is `chime:CreateChannel`. */
export function actionName(service: ServiceName, operation: string): `${string}:${string}` {
  const prefix = ACTION_PREFIXES[service];
  return `${prefix}:${OTHER_NAMES[`${prefix}:${operation}`] ?? operation}`;
}
