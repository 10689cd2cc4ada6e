/** `belfry aws-data-path`: writes the folder through which the AWS CLI 2.9 of Debian finds this server for S3 and Organizations. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import { runSingleCommand } from './command.ts';

const USAGE = `belfry aws-data-path --endpoint URL [--out FOLDER]   write a data folder for the AWS CLI

  Some commands of the AWS CLI, such as 'aws cloudtrail validate-logs', call S3 and Organizations, but pass --endpoint-url only to
  CloudTrail. With AWS_DATA_PATH=FOLDER, the AWS CLI 2 calls them at URL. Newer versions need AWS_ENDPOINT_URL_S3 and
  AWS_ENDPOINT_URL_ORGANIZATIONS instead, and no folder.

  --endpoint URL   address of the server, such as https://belfry.example.com:8443
  --out FOLDER     the folder (default: ./aws-data)
`;

const ENDPOINT: Flag = { flag: '--endpoint', valid: 'a URL such as https://belfry.example.com, without a path' };
const OUT: Flag = { flag: '--out', valid: 'a folder' };

/** Runs `belfry aws-data-path …`. Resolves to the exit status. */
export function awsDataPathCommand(args: readonly string[]): Promise<number> {
  return runSingleCommand('aws-data-path', USAGE, { flags: [ENDPOINT, OUT], run }, args);
}

function run({ values }: ParsedFlags): number {
  const endpoint = originOf(requireFlag(values, ENDPOINT));
  const out = resolve(values.get(OUT.flag) ?? './aws-data');
  for (const [path, text] of awsDataFiles(endpoint)) {
    mkdirSync(join(out, path, '..'), { recursive: true });
    writeFileSync(join(out, path), text);
  }
  console.log(`belfry aws-data-path: wrote '${out}'; set AWS_DATA_PATH to this folder`);
  return 0;
}

/** Returns the origin of a URL, without a slash at its end. A brace would be a variable of a rule set. */
function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url !== undefined && ['http:', 'https:'].includes(url.protocol) && [url.origin, `${url.origin}/`].includes(text);
  if (!isOrigin || /[{}]/.test(text)) throw new FlagError(`${ENDPOINT.flag} is '${text}'; it must be ${ENDPOINT.valid}`);
  return url.origin;
}

/**
 * Returns the files of the data folder: path and content. Each has the rule set of one service, which replaces that of the AWS CLI.
 *
 * Source: botocore, "Loaders" (`AWS_DATA_PATH`), and Smithy, "Endpoint rule sets". Checked with AWS CLI 2.9.19 in `test/server/digests.test.ts`.
 */
export function awsDataFiles(origin: string): readonly (readonly [path: string, text: string])[] {
  const file = (service: string, rules: readonly object[]): readonly [string, string] => [
    `${service}/endpoint-rule-set-1.json`,
    `${JSON.stringify({ version: '1.0', parameters: PARAMETERS, rules }, null, 2)}\n`,
  ];
  const ofBucket = [{ fn: 'isSet', argv: [{ ref: 'Bucket' }] }];
  return [
    file('s3/2006-03-01', [rule(`${origin}/{Bucket}`, 's3', ofBucket), rule(origin, 's3')]),
    file('organizations/2016-11-28', [rule(origin, 'organizations')]),
  ];
}

const PARAMETERS = {
  Bucket: { required: false, documentation: 'Bucket of the request', type: 'String' },
  Region: { builtIn: 'AWS::Region', required: true, documentation: 'Region of the client', type: 'String' },
} as const;

/** Returns a rule with one URL. Keys of S3 are signed as they are sent. */
function rule(url: string, signingName: string, conditions: readonly object[] = []): object {
  const scheme = { name: 'sigv4', signingName, signingRegion: '{Region}', ...(signingName === 's3' && { disableDoubleEncoding: true }) };
  return { conditions, endpoint: { url, properties: { authSchemes: [scheme] }, headers: {} }, type: 'endpoint' };
}
