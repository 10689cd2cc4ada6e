/**
 * Records the server's responses to a fixed list of calls.
 *
 *     node bin/node24.mjs test/recording/record.ts            compares with the recording and prints each difference
 *     node bin/node24.mjs test/recording/record.ts --write    replaces the recording
 *     node bin/node24.mjs test/recording/record.ts --twice    compares two runs, to find values that differ and must not be recorded
 *     node bin/node24.mjs test/recording/record.ts --summary  prints for each implemented operation whether it succeeds, and its error codes
 *
 * The server runs on SQLite, or with `--postgres` on PostgreSQL.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { SERVICE_NAMES } from '#model/services.ts';
import { askControl } from '#server/operator/ask-control.ts';
import { isNotYet } from '#services/kit/not-yet.ts';
import { operationTableOf } from '../../tools/parity.ts';
import { startReceiver } from '../kit/receivers.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { inOrder, UNORDERED } from './capture.ts';
import { differences } from './compare.ts';
import { callEveryOperation } from './generated-calls.ts';
import { CODE } from './normalize.ts';
import { type Exchange, newRecorder } from './recorder.ts';
import { REWORDED } from './reworded.ts';
import { nameServer } from './scenarios/chime-enterprise.ts';
import { BOUND_BUCKET } from './scenarios/cloudtrail.ts';
import { identityProvider } from './scenarios/federation.ts';
import { SCENARIOS } from './scenarios.ts';

const FILE = new URL('./recording.jsonl.gz', import.meta.url);

/** Endpoint of the functions of Lambda. Every function exists. */
const functions = await startReceiver();

/** Runs every call against a new server. `onStopped` gets its data folder after the server has stopped. */
export async function record(
  environment: Readonly<Record<string, string>> = {},
  onStopped: (dataFolder: string) => Promise<void> = async () => {},
): Promise<readonly Exchange[]> {
  const server = await startTestServer({
    ...environment,
    BELFRY_INTERNAL_ISSUERS: identityProvider.host,
    BELFRY_DNS_SERVER: nameServer.address,
  });
  await bindBucket(server);
  await bindFunctions(server);
  const recorder = newRecorder(server);
  recorder.name(server.accountId, 'account');
  const accounts = [server.credentials];
  for (const scenario of SCENARIOS) accounts.push(...((await scenario(recorder)) ?? []));
  const guest = await recorder.user('guest');
  await callEveryOperation(recorder, guest);
  const exchanges = await recorder.finish(accounts, ['us-east-1', 'eu-central-1']);
  await server.stop();
  await onStopped(server.dataFolder);
  return exchanges;
}

async function bindBucket({ dataFolder }: TestServer): Promise<void> {
  const path = join(dataFolder, 'delivered');
  mkdirSync(path);
  const target = { bucket: BOUND_BUCKET, location: { kind: 'folder', path } } as const;
  const reply = await askControl(dataFolder, { command: 'trail target add', target });
  if (!reply.ok) throw new Error(reply.error);
}

async function bindFunctions({ dataFolder }: TestServer): Promise<void> {
  const endpoint = { service: 'lambda', url: functions.url, allowInternal: true, accessKeyId: 'AKIDEXAMPLE', secret: 'secret' } as const;
  const reply = await askControl(dataFolder, { command: 'endpoint add', endpoint });
  if (!reply.ok) throw new Error(reply.error);
}

/** Returns the recording, with the current wording of messages that AWS does not define, and with sorted lists. */
export function recorded(): readonly Exchange[] {
  const text = gunzipSync(readFileSync(FILE)).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Exchange)
    .map(reworded)
    .map((exchange) =>
      UNORDERED.has(exchange.title.split(' ')[1] ?? '') ? { ...exchange, response: inOrder(exchange.response) } : exchange,
    );
}

function reworded({ title, request, response, record }: Exchange): Exchange {
  const apply = (text: string) =>
    REWORDED.reduce((now, [before, after]) => now.replaceAll(before, after), text).replaceAll(/‹code-\d+›/g, CODE);
  return { title, request, response: apply(response), ...(record !== undefined && { record: apply(record) }) };
}

export function write(exchanges: readonly Exchange[]): void {
  writeFileSync(FILE, gzipSync(`${exchanges.map((exchange) => JSON.stringify(exchange)).join('\n')}\n`, { level: 9 }));
}

/** Maximum number of differences that are printed. */
const PRINTED_MAX = 50;

/** Returns one line per implemented operation: whether it succeeds in the recording, and its error codes. */
async function summary(exchanges: readonly Exchange[]): Promise<readonly string[]> {
  const outcomes = new Map<string, Map<string, number>>();
  for (const { title, response } of exchanges) {
    const [service, operation] = title.split(' ') as [string, string];
    const [status = '', ...lines] = response.split('\n');
    const header = lines.find((line) => line.startsWith('x-amzn-errortype: '))?.slice(18);
    const code = status.startsWith('2') ? 'ok' : (header ?? /<Code>([^<]*)</.exec(response)?.[1] ?? status);
    const codes = outcomes.get(`${service} ${operation}`) ?? new Map<string, number>();
    outcomes.set(`${service} ${operation}`, codes.set(code, (codes.get(code) ?? 0) + 1));
  }
  const lines: string[] = [];
  for (const service of SERVICE_NAMES) {
    const table = await operationTableOf(service);
    for (const [name, operation] of Object.entries(table)) {
      if (isNotYet(operation)) continue;
      const codes = outcomes.get(`${service} ${name}`) ?? new Map<string, number>();
      lines.push(`${codes.has('ok') ? 'ok  ' : 'NONE'} ${service} ${name}: ${[...codes.keys()].filter((code) => code !== 'ok').join(' ')}`);
    }
  }
  return lines;
}

if (import.meta.main) {
  const flags = new Set(process.argv.slice(2));
  const postgres = flags.has('--postgres') ? await testPostgres() : undefined;
  const runs = await record(postgres === undefined ? {} : { BELFRY_DATABASE: postgres.url });
  if (flags.has('--write')) write(runs);
  else if (flags.has('--summary')) console.log((await summary(runs)).join('\n'));
  else {
    const found = differences(flags.has('--twice') ? await record() : recorded(), runs);
    console.log(found.slice(0, PRINTED_MAX).join('\n'));
    if (found.length > PRINTED_MAX) console.log(`and ${found.length - PRINTED_MAX} more differences`);
    console.log(`${found.length} differences`);
    process.exitCode = found.length === 0 ? 0 : 1;
  }
  console.log(`${runs.length} exchanges, ${runs.filter((each) => each.record === undefined).length} without a record`);
  await postgres?.stop();
  process.exit();
}
