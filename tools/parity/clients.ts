/** Finds in the texts of tests which operations a real client calls there. Reads the texts only: what a test says, it does. */
import type { ServiceName } from '#model/model.ts';

/** The clients that are told apart. `SDK` is the AWS SDK for JavaScript v3. */
export type ClientName = 'SDK' | 'CLI' | 'boto3';

/** A test file. */
export interface TestText {
  readonly path: string;
  readonly text: string;
}

/** Whether a test calls an operation with a client: `new sdk.CreateMeetingCommand(`, `aws chime-sdk-meetings create-meeting`, `.create_meeting(`. */
export function calls({ text }: TestText, client: ClientName, service: ServiceName, operation: string): boolean {
  switch (client) {
    case 'SDK':
      return callsSdk(text, service, operation);
    case 'CLI': {
      const command = dashed(operation, '-');
      return text.includes(command) && new RegExp(`\\b${service}['"]?[,\\s]+['"]?${command}(?![\\w-])`).test(text);
    }
    case 'boto3':
      return text.includes(`.${dashed(operation, '_')}(`) && new RegExp(`client\\(\\s*['"]${service}['"]`).test(text);
  }
}

/** By the import that brings the command: five services have a TagResource. */
function callsSdk(text: string, service: ServiceName, operation: string): boolean {
  const name = `@aws-sdk/client-${service === 'events' ? 'eventbridge' : service}`;
  const command = `${operation}Command`;
  if (!text.includes(command)) return false;
  for (const [, what = '', from] of text.matchAll(/import\s+([^;]*?)\s+from\s+'([^']+)'/g)) {
    if (from !== name) continue;
    const whole = /^\* as (\w+)$/.exec(what)?.[1];
    if (whole !== undefined ? new RegExp(`\\b${whole}\\.${command}\\b`).test(text) : new RegExp(`\\b${command}\\b`).test(what)) return true;
  }
  return false;
}

/**
 * `CreateOpenIDConnectProvider` → `create-open-id-connect-provider`.
 * Source: botocore, `xform_name`, which the CLI and boto3 both use.
 */
export function dashed(operation: string, by: '-' | '_'): string {
  return operation
    .replaceAll(/(.)([A-Z][a-z]+)/g, `$1${by}$2`)
    .replaceAll(/([a-z0-9])([A-Z])/g, `$1${by}$2`)
    .toLowerCase();
}
