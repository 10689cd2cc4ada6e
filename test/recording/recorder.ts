import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ServiceName } from '#model/services.ts';
import { type Keys, keysOf } from '../kit/keys.ts';
import { policy, type Statement } from '../kit/policy.ts';
import { captureOutput, collectStrings, leaks, type Place, searchedSecrets } from '../kit/secrets.ts';
import type { TestServer } from '../kit/server.ts';
import { everyEvent, readUnproven } from '../kit/trail.ts';
import { caller, type Outcome } from '../sdk/every-operation.ts';
import { type Captured, capturing, inOrder, UNORDERED } from './capture.ts';
import { newNormalizer } from './normalize.ts';

/** One request with its response and its CloudTrail record. Placeholders replace values that differ between runs. */
export interface Exchange {
  /** Service, operation and caller. Example: `iam CreateUser as admin`. */
  readonly title: string;
  readonly request: string;
  readonly response: string;
  /** CloudTrail record of the request. Absent if the server records nothing. */
  record?: string;
}

/** Output of any operation. The scenarios read members of outputs without type checks. */
// biome-ignore lint/suspicious/noExplicitAny: one type for the outputs of every operation
export type AnyOutput = any;

/** Signature of a request: `admin` uses the administrator's keys, `forged` a wrong secret, and `unsigned` has no signature. */
export type As = 'admin' | 'unsigned' | 'forged' | Keys;

/** Recorded calls of one service. The default input is empty, and the default caller is the administrator. */
export interface ServiceCalls {
  call(operation: string, input?: object, as?: As): ReturnType<Recorder['call']>;
  ok(operation: string, input?: object, as?: As): Promise<AnyOutput>;
  fails(code: string, operation: string, input?: object, as?: As): Promise<void>;
}

/** Records calls on one server. */
export interface Recorder {
  readonly server: TestServer;
  readonly accountId: string;
  /** Calls an operation through the unmodified SDK client, and records the request and the response. */
  call(
    service: ServiceName,
    operation: string,
    input: object,
    as?: As,
    region?: string,
  ): Promise<Outcome & { readonly output?: AnyOutput; readonly authorizationMessage?: string }>;
  /** Calls and records an operation, like `call`. Throws if the operation fails, because later calls depend on its success. */
  ok(service: ServiceName, operation: string, input: object, as?: As, region?: string): Promise<AnyOutput>;
  /** Calls and records an operation, like `call`. If the operation does not fail with this code, `finish` throws. */
  fails(code: string, service: ServiceName, operation: string, input: object, as?: As, region?: string): Promise<void>;
  /** Returns the functions `call`, `ok` and `fails` for one service. */
  of(service: ServiceName): ServiceCalls;
  /** Creates a user with one inline policy of these statements. Returns the user's keys. */
  user(name: string, ...statements: readonly Statement[]): Promise<Keys>;
  /** Replaces a value in the recording by a placeholder. */
  name(value: string, placeholder: string): void;
  /**
   * Returns all exchanges, with their CloudTrail records. Throws if a record, an error response or a line of the log contains a secret of
   * an input or output (LOG-4).
   */
  finish(accounts: readonly Keys[], regions: readonly string[]): Promise<readonly Exchange[]>;
}

/** Minimum number of secrets in the calls of a recording. A lower number means that the search for them does not work. */
const SECRETS_MIN = 40;

/** Starts to record the calls on a server. */
export function newRecorder(server: TestServer): Recorder {
  const accountId = server.accountId;
  const normalizer = newNormalizer();
  normalizer.name(new URL(server.endpoint).host, 'named host');
  normalizer.name(new URL(server.httpsEndpoint).host, 'named https host');
  const exchanges: (Captured & { title: string; normalRequest: string; normalResponse: string })[] = [];
  const unexpected: string[] = [];
  const strings = { secret: new Set<string>(), plain: new Set<string>() };
  const output = captureOutput();
  let last: Captured | undefined;
  const callerAs = callersOf(server, (exchange) => {
    last = exchange;
  });

  const recorder: Recorder = {
    server,
    accountId,
    async call(service, operation, input, as = 'admin', region = 'us-east-1') {
      last = undefined;
      const outcome = await callerAs(service, as, region)(operation, input);
      collectStrings(input, strings);
      collectStrings(outcome.output, strings);
      const sent = last as Captured | undefined;
      if (sent === undefined) return outcome;
      // The number of a placeholder depends on its first use. So the request is always normalized before the response.
      const normalRequest = normalizer.text(sent.request);
      const response = normalizer.text(sent.response);
      exchanges.push({
        ...sent,
        title: titleOf(service, operation, as, region),
        normalRequest,
        normalResponse: UNORDERED.has(operation) ? inOrder(response) : response,
      });
      return { ...outcome, ...omitUndefined({ authorizationMessage: sent.authorizationMessage }) };
    },
    async ok(service, operation, input, as, region) {
      const { code, message, output } = await recorder.call(service, operation, input, as, region);
      if (code !== 'ok') throw new Error(`${service} ${operation}: ${code}: ${message}`);
      return output;
    },
    async fails(code, service, operation, input, as, region) {
      const outcome = await recorder.call(service, operation, input, as, region);
      if (outcome.code === code) return;
      const sent = JSON.stringify(input).slice(0, 200);
      unexpected.push(`${service} ${operation}: expected ${code}, got ${outcome.code}: ${outcome.message}\n  ${sent}`);
    },
    of: (service) => ({
      call: (operation, input = {}, as) => recorder.call(service, operation, input, as),
      ok: (operation, input = {}, as) => recorder.ok(service, operation, input, as),
      fails: (code, operation, input = {}, as) => recorder.fails(code, service, operation, input, as),
    }),
    async user(UserName, ...statements) {
      const { ok } = recorder.of('iam');
      await ok('CreateUser', { UserName });
      if (statements.length > 0) await ok('PutUserPolicy', { UserName, PolicyName: 'inline', PolicyDocument: policy(...statements) });
      return keysOf((await ok('CreateAccessKey', { UserName })).AccessKey);
    },
    name: (value, placeholder) => normalizer.name(value, `named ${placeholder}`),
    async finish(accounts, regions) {
      if (unexpected.length > 0) throw new Error(`calls did not fail as expected:\n${unexpected.join('\n')}`);
      const records = await recordsByRequest(server, accounts, regions);
      const places: readonly Place[] = [
        ['the trail', JSON.stringify([...records.values()])],
        ['the log', output.end()],
        ...exchanges
          .filter(({ response }) => !response.startsWith('2'))
          .map(({ title, response }) => [`the error of ${title}`, response] as const),
      ];
      const secrets = searchedSecrets(strings);
      const leaked = leaks(secrets, places);
      if (secrets.length < SECRETS_MIN) throw new Error(`the calls have only ${secrets.length} secrets`);
      if (leaked.length > 0) throw new Error(`secrets are not hidden:\n${leaked.join('\n')}`);
      return exchanges.map(({ title, normalRequest, normalResponse, requestId = '' }) => {
        const found = records.get(requestId);
        return {
          title,
          request: normalRequest,
          response: normalResponse,
          ...(found && { record: found.map((each) => normalizer.text(JSON.stringify(each))).join('\n') }),
        };
      });
    },
  };
  return recorder;
}

/** Returns a function that creates the client for a service, a caller and a region, and reuses an existing client. */
function callersOf(server: TestServer, captured: (exchange: Captured) => void) {
  const callers = new Map<string, ReturnType<typeof caller>>();
  const requestHandler = capturing(captured);
  const forged = { ...server.credentials, secretAccessKey: 'x'.repeat(40) };
  return (service: ServiceName, as: As, region: string): ReturnType<typeof caller> => {
    const key = `${service} ${region} ${typeof as === 'string' ? as : as.accessKeyId}`;
    const known = callers.get(key);
    if (known !== undefined) return known;
    const keys = as === 'admin' || as === 'unsigned' ? server.credentials : as === 'forged' ? forged : as;
    const client = service.startsWith('chime') ? server.at(service, keys) : server.client(keys);
    const settings = { ...client, region, requestHandler };
    const made = caller(service, as === 'unsigned' ? { ...settings, signer: { sign: async (request: unknown) => request } } : settings);
    callers.set(key, made);
    return made;
  };
}

function titleOf(service: ServiceName, operation: string, as: As, region: string): string {
  const who = typeof as === 'string' ? as : 'other keys';
  return `${service} ${operation} as ${who}${region === 'us-east-1' ? '' : ` in ${region}`}`;
}

/** Returns all CloudTrail records by request ID, including records without an account. */
async function recordsByRequest(server: TestServer, accounts: readonly Keys[], regions: readonly string[]) {
  const all: { readonly requestID?: string }[] = [];
  for (const keys of accounts) {
    for (const region of regions) {
      const events = await everyEvent(new CloudTrailClient({ ...server.client(keys), region }));
      all.push(...events.map(({ document }) => document));
    }
  }
  all.push(...(await readUnproven(server.dataFolder)));
  return Map.groupBy(all, ({ requestID = '' }) => requestID);
}
