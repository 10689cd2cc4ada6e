/** Lambda functions of AWS's CDK library for Chime, called as CloudFormation calls them. `tools/setup.mjs` installs the functions. */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Keys } from '../kit/keys.ts';
import { startReceiver } from '../kit/receivers.ts';

/** Name of a function, which is its folder in the library. */
export type FunctionName = 'pstn' | 'messaging' | 'media-pipelines';

/** Custom resource of a template. */
export interface CustomResource {
  readonly resourceType: string;
  readonly uid: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Response of a function to CloudFormation. `Data` has the attributes of the resource. */
export interface CustomResourceResponse {
  readonly Status?: string;
  readonly Data?: Readonly<Record<string, unknown>>;
}

/** Running function. It handles one event at a time. */
export interface LambdaFunction {
  /** Sends an event. Rejects with the message of the function if the function fails. */
  invoke(request: 'Create' | 'Update' | 'Delete', resource: CustomResource): Promise<CustomResourceResponse>;
}

const LIBRARY = fileURLToPath(new URL('../../node_modules/.cdk-amazon-chime-resources-3.2.25', import.meta.url));
const RUNNER = fileURLToPath(new URL('lambda.ts', import.meta.url));

/**
 * Starts a function in its own process, and stops it after the tests of the file.
 */
export function startFunction(name: FunctionName, { server, parameters, keys }: FunctionSettings): LambdaFunction {
  const child = fork(RUNNER, [`${LIBRARY}/${name}/index.js`], {
    // The functions log each event.
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_ENDPOINT_URL_CHIME_SDK_VOICE: `${server}/_chime-sdk-voice`,
      AWS_ENDPOINT_URL_CHIME_SDK_IDENTITY: `${server}/_chime-sdk-identity`,
      AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING: `${server}/_chime-sdk-messaging`,
      AWS_ENDPOINT_URL_CHIME_SDK_MEDIA_PIPELINES: `${server}/_chime-sdk-media-pipelines`,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: server,
      AWS_ENDPOINT_URL_SSM: parameters,
      AWS_ENDPOINT_URL_KINESIS_VIDEO: parameters,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
  });
  after(() => child.kill());
  return { invoke: (request, resource) => invoke(child, request, resource) };
}

/** URLs of Belfry and of a parameter store, and the access key of a function. */
export interface FunctionSettings {
  readonly server: string;
  readonly parameters: string;
  readonly keys: Keys;
}

async function invoke(child: ChildProcess, RequestType: string, resource: CustomResource): Promise<CustomResourceResponse> {
  const ended = new AbortController();
  const answered = once(child, 'message', ended);
  const exited = once(child, 'exit', ended).then(([status]) => assert.fail(`the function exited with status ${status}`));
  child.send({
    RequestType,
    StackId: 'arn:aws:cloudformation:us-east-1:111122223333:stack/Calls/1',
    RequestId: '1',
    LogicalResourceId: resource.uid,
    ResourceProperties: asStrings(resource),
  });
  const [{ response, error }] = await Promise.race([answered, exited]).finally(() => ended.abort());
  if (error !== undefined) throw new Error(error);
  return response;
}

/**
 * Returns properties as CloudFormation passes them to a custom resource: numbers and Booleans are strings.
 *
 * Source: aws-cloudformation/cloudformation-coverage-roadmap issue 1037.
 */
function asStrings(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asStrings);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.fromEntries(Object.entries(value).flatMap(([name, each]) => (each === undefined ? [] : [[name, asStrings(each)]])));
}

/** Starts a stand-in for the other services of AWS that the functions call: Systems Manager and Kinesis Video Streams, which has no streams. */
export async function startParameterStore(): Promise<{ readonly url: string; readonly parameters: ReadonlyMap<string, string> }> {
  const { url, reply } = await startReceiver();
  const parameters = new Map<string, string>();
  reply(({ operation, members }) => {
    const name = String(members['Name']);
    const json = (body: object) => ({ status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(body) });
    if (operation === 'PutParameter') {
      parameters.set(name, String(members['Value']));
      return json({ Version: 1 });
    }
    if (operation === 'POST /listStreams') return json({ StreamInfoList: [] });
    const Value = parameters.get(name);
    if (Value === undefined) return { status: 400, code: 'ParameterNotFound' };
    if (operation === 'DeleteParameter') parameters.delete(name);
    return json(operation === 'GetParameter' ? { Parameter: { Name: name, Value } } : {});
  });
  return { url, parameters };
}
