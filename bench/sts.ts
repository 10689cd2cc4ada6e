/**
 * Measures AssumeRole with a durable trail record. Also measures GetCallerIdentity, and compares requests that are
 * signed with session credentials with requests that are signed with a long-term key. Uses interleaved rounds and 32
 * connections. If the mock server moto (`python3 -m moto.server`) is installed, also measures moto. `MOTO_PYTHON`
 * selects another Python. Moto checks no signature and stores nothing. Command: `npm run bench sts`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { instant } from '#core/instant.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';
import { freePort } from '../test/kit/free-port.ts';
import { type Load, load, median, type SignedRequest, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 3);
const CONNECTIONS = 32;
const SESSIONS = 200;

/** Returns a signed request to a service that uses the query protocol. */
function query(
  endpoint: string,
  service: 'iam' | 'sts',
  credentials: Credentials,
  parameters: Readonly<Record<string, string>>,
): SignedRequest {
  const body = new URLSearchParams({ Version: service === 'iam' ? '2010-05-08' : '2011-06-15', ...parameters }).toString();
  const headers = { host: new URL(endpoint).host, 'content-type': 'application/x-www-form-urlencoded' };
  const signed = sign(
    { method: 'POST', target: '/', headers, body },
    { credentials, region: 'us-east-1', signingName: service, now: instant(Date.now()) },
  );
  return { method: 'POST', path: '/', headers: signed, body };
}

async function answer(endpoint: string, { method, path, headers, body }: SignedRequest): Promise<string> {
  const response = await fetch(endpoint + path, { method, headers, body });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

const element = (text: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? '';

/** Starts moto's server. Returns undefined if moto is not installed. */
async function startMoto(): Promise<{ readonly endpoint: string; readonly child: ChildProcess; readonly version: string } | undefined> {
  const python = process.env['MOTO_PYTHON'] ?? 'python3';
  const asked = spawnSync(python, ['-c', 'import moto, moto.server; print(moto.__version__)'], { encoding: 'utf8' });
  if (asked.status !== 0) return undefined;
  const port = await freePort();
  const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const endpoint = `http://127.0.0.1:${port}`;
  const until = Date.now() + 30_000;
  for (;;) {
    const up = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (up) return { endpoint, child, version: asked.stdout.trim() };
    if (Date.now() > until || child.exitCode !== null) throw new Error('moto did not start');
  }
}

const belfry = await startProcess('belfry');
const { endpoint, credentials } = belfry;
const account = element(await answer(endpoint, query(endpoint, 'sts', credentials, { Action: 'GetCallerIdentity' })), 'Account');
const RoleArn = `arn:aws:iam::${account}:role/Bench`;
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }],
});
await answer(endpoint, query(endpoint, 'iam', credentials, { Action: 'CreateRole', RoleName: 'Bench', AssumeRolePolicyDocument: trust }));
const assume = (at: string) => query(at, 'sts', credentials, { Action: 'AssumeRole', RoleArn, RoleSessionName: 'bench' });
const sessions: Credentials[] = [];
for (let i = 0; i < SESSIONS; i++) {
  const text = await answer(endpoint, assume(endpoint));
  sessions.push({
    accessKeyId: element(text, 'AccessKeyId'),
    secretAccessKey: element(text, 'SecretAccessKey'),
    sessionToken: element(text, 'SessionToken'),
  });
}
const who = (at: string, by: Credentials) => query(at, 'sts', by, { Action: 'GetCallerIdentity' });
const moto = await startMoto();

interface Row {
  readonly title: string;
  readonly endpoint: string;
  readonly requests: () => readonly SignedRequest[];
}
const times = (count: number, request: (i: number) => SignedRequest) => Array.from({ length: count }, (_, i) => request(i));
const rows: readonly Row[] = [
  { title: 'AssumeRole', endpoint, requests: () => times(64, () => assume(endpoint)) },
  { title: 'GetCallerIdentity, long-term key', endpoint, requests: () => times(SESSIONS, () => who(endpoint, credentials)) },
  { title: 'GetCallerIdentity, one session', endpoint, requests: () => times(SESSIONS, () => who(endpoint, sessions[0] as Credentials)) },
  {
    title: `GetCallerIdentity, ${SESSIONS} sessions`,
    endpoint,
    requests: () => times(SESSIONS, (i) => who(endpoint, sessions[i] as Credentials)),
  },
  ...(moto === undefined
    ? []
    : [
        { title: `moto ${moto.version}: AssumeRole`, endpoint: moto.endpoint, requests: () => times(64, () => assume(moto.endpoint)) },
        {
          title: `moto ${moto.version}: GetCallerIdentity`,
          endpoint: moto.endpoint,
          requests: () => times(64, () => who(moto.endpoint, credentials)),
        },
      ]),
];

try {
  const results = new Map<string, Load[]>(rows.map(({ title }) => [title, []]));
  for (const row of rows) load(row.endpoint, row.requests(), CONNECTIONS, 1);
  for (let round = 0; round < ROUNDS; round++) {
    for (const row of rows) {
      const result = load(row.endpoint, row.requests(), CONNECTIONS, SECONDS);
      if (result.not2xx > 0) throw new Error(`${row.title}: ${result.not2xx} of ${result.requests} were not 2xx`);
      results.get(row.title)?.push(result);
    }
  }
  const of = (title: string) => results.get(title) as Load[];
  for (const { title } of rows) {
    const all = of(title);
    console.log(
      `${title.padEnd(36)} ${String(Math.round(median(all.map((each) => each.perSecond)))).padStart(6)} /s   p50 ${median(all.map((each) => each.p50Ms)).toFixed(2)} ms   p99 ${median(all.map((each) => each.p99Ms)).toFixed(2)} ms`,
    );
  }
  const ratio = (over: Row, under: Row) =>
    median(of(over.title).map((each, i) => each.perSecond / (of(under.title)[i] as Load).perSecond)).toFixed(2);
  const [assuming, longTerm, oneSession, manySessions, motoAssuming, motoWho] = rows as [
    Row,
    Row,
    Row,
    Row,
    Row | undefined,
    Row | undefined,
  ];
  console.log(`one session / long-term key          ${ratio(oneSession, longTerm)}`);
  console.log(`${SESSIONS} sessions / long-term key         ${ratio(manySessions, longTerm)}`);
  if (motoAssuming && motoWho) {
    console.log(`AssumeRole / moto's                  ${ratio(assuming, motoAssuming)}`);
    console.log(`GetCallerIdentity / moto's           ${ratio(longTerm, motoWho)}`);
  } else console.log('no figures of moto, because it is not installed (set MOTO_PYTHON to a Python that has it; Debian 12 has no package)');
} finally {
  moto?.child.kill();
  await belfry.stop();
}
