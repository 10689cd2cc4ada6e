/** Finds the operations that tests call with real clients. Searches the text of the test files and does not run them. */
import type { ServiceName } from '#model/services.ts';
import { clientPackageOf } from '../generate/clients.ts';

/** Client of a test. `SDK` is the AWS SDK for JavaScript v3. */
export type ClientName = 'SDK' | 'CLI' | 'boto3';

/** Path and text of a test file. */
export interface TestText {
  readonly path: string;
  readonly text: string;
}

/**
 * Reports whether a test calls an operation with a client.
 *
 * Recognizes `new sdk.CreateMeetingCommand(`, `aws chime-sdk-meetings create-meeting` and `.create_meeting(`. In a test that starts boto3 with
 * `startBoto3`, the first argument of a call is the method: `chime('create_account', …)`.
 */
export function calls({ text }: TestText, client: ClientName, service: ServiceName, operation: string): boolean {
  switch (client) {
    case 'SDK':
      return callsSdk(text, service, operation);
    case 'CLI': {
      const command = dashed(operation, '-');
      return text.includes(command) && new RegExp(`\\b${service}['"]?[,\\s]+['"]?${command}(?![\\w-])`).test(text);
    }
    case 'boto3': {
      const method = dashed(operation, '_');
      if (text.includes('startBoto3(')) return text.includes(`'${service}'`) && new RegExp(`\\(\\s*'${method}'`).test(text);
      return text.includes(`.${method}(`) && new RegExp(`client\\(\\s*['"]${service}['"]`).test(text);
    }
  }
}

/**
 * Reports whether a test calls an operation with the SDK. Searches for the import of the command, because several services have operations
 * with the same name, such as TagResource.
 */
function callsSdk(text: string, service: ServiceName, operation: string): boolean {
  const name = clientPackageOf(service);
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
 * Converts an operation name to the form of the CLI or boto3: `CreateOpenIDConnectProvider` to `create-open-id-connect-provider`.
 *
 * Source: botocore, `xform_name`, which the CLI and boto3 both use.
 */
export function dashed(operation: string, by: '-' | '_'): string {
  return operation
    .replaceAll(/(.)([A-Z][a-z]+)/g, `$1${by}$2`)
    .replaceAll(/([a-z0-9])([A-Z])/g, `$1${by}$2`)
    .toLowerCase();
}
