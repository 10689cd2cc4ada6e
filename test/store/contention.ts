import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { instant } from '#core/instant.ts';
import { type Credentials, sign } from '#sigv4/sign.ts';
import { type PackContent, recordsOf } from '#store/trail/trail-pack.ts';

/** Kinds of concurrent changes. */
export type Kind = 'attendee' | 'user' | 'message';

/** Settings of `contend`. */
export interface Contention {
  readonly endpoint: string;
  readonly credentials: Credentials;
  /** PostgreSQL database of the server. */
  readonly databaseUrl: string;
  readonly callers: number;
  /** Duration of the changes. On a busy machine they continue for up to a minute until each kind of outcome has occurred. */
  readonly seconds: number;
  readonly kinds: readonly Kind[];
  /**
   * Milliseconds between two terminations of a database connection. The terminations begin after half of `seconds`. If
   * absent, no connection is terminated.
   */
  readonly terminateEveryMilliseconds?: number;
}

/** Number of changes by outcome, and the contradictions with the database. */
export interface History {
  readonly acknowledged: number;
  readonly refused: number;
  /** Number of changes without a response or with a 5xx response. The changes may be committed or not. */
  readonly unknown: number;
  /** Number of terminated database connections. */
  readonly terminated: number;
  /**
   * Seconds until the last acknowledged change. If all changes create attendees, changes are acknowledged only until
   * each meeting has 250 attendees, which is the maximum.
   */
  readonly fullAfterSeconds: number;
  /** One line per contradiction. */
  readonly violations: readonly string[];
}

type Outcome = 'acknowledged' | 'refused' | 'unknown';

interface Change {
  /** Name of the change. The row contains the name, and the trail record contains the name as the user agent. */
  readonly key: string;
  readonly kind: Kind;
  readonly outcome: Outcome;
}

const MEETINGS = 8;
const CHANNELS = 4;
/** Every seventh change of a kind is invalid, so that the service refuses it. */
const REFUSED_EVERY = 7;
/** Time after which a response counts as lost, in milliseconds. */
const RESPONSE_MILLISECONDS = 10_000;
/** Longest time in which the changes continue after `seconds`, in milliseconds. */
const PATIENCE_MILLISECONDS = 60_000;

/**
 * Sends concurrent changes of a few meetings, one account's users and a few channels as signed requests. Then compares the outcome of each
 * change with the rows and trail records in the database:
 *
 * - acknowledged: the database has the row of the change, and one record without an error code
 * - refused: the database has no row and no record of a success, but one record with an error code
 * - unknown: the database has both the row and one record of a success, or neither
 */
export async function contend(options: Contention): Promise<History> {
  const { callers, seconds, kinds, terminateEveryMilliseconds, databaseUrl } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const call = caller(options, agent);
  const targets = await prepare(call, kinds);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();

  const changes: Change[] = [];
  const began = performance.now();
  const end = began + seconds * 1000;
  let lastAcknowledged = began;
  let next = 0;
  let terminated = 0;
  const occurred = new Set<Outcome>();
  const wanted = terminateEveryMilliseconds === undefined ? 2 : 3;
  const continues = (): boolean => performance.now() < end || (occurred.size < wanted && performance.now() < end + PATIENCE_MILLISECONDS);
  async function change(): Promise<void> {
    while (continues()) {
      const n = next++;
      const kind = kinds[n % kinds.length] as Kind;
      const key = `${kind}-${n}`;
      const refuse = Math.floor(n / kinds.length) % REFUSED_EVERY === REFUSED_EVERY - 1;
      const status = await call(key, requestOf(kind, key, n, refuse, targets));
      const outcome: Outcome = status === 0 || status >= 500 ? 'unknown' : status < 300 ? 'acknowledged' : 'refused';
      if (outcome === 'acknowledged') lastAcknowledged = performance.now();
      occurred.add(outcome);
      changes.push({ key, kind, outcome });
    }
  }
  async function terminate(): Promise<void> {
    if (terminateEveryMilliseconds === undefined) return;
    await delay((seconds * 1000) / 2);
    while (continues()) {
      const { rowCount } = await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'belfry' ORDER BY random() LIMIT 1",
      );
      terminated += rowCount ?? 0;
      await delay(terminateEveryMilliseconds);
    }
  }
  try {
    await Promise.all([terminate(), ...Array.from({ length: callers }, change)]);
    const count = (outcome: Outcome): number => changes.filter((one) => one.outcome === outcome).length;
    return {
      acknowledged: count('acknowledged'),
      refused: count('refused'),
      unknown: count('unknown'),
      terminated,
      fullAfterSeconds: (lastAcknowledged - began) / 1000,
      violations: await contradictions(client, changes),
    };
  } finally {
    agent.destroy();
    await client.end();
  }
}

interface SentRequest {
  readonly path: string;
  readonly signingName: 'chime' | 'iam';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends one signed POST. Resolves to its status, or 0 without a response. */
type Send = (userAgent: string, sent: SentRequest, onBody?: (body: string) => void) => Promise<number>;

function caller({ endpoint, credentials }: Contention, agent: Agent): Send {
  const { host, hostname, port } = new URL(endpoint);
  return (userAgent, { path, signingName, headers = {}, body }, onBody) => {
    const type = signingName === 'iam' ? 'application/x-www-form-urlencoded' : 'application/json';
    const signed = sign(
      { method: 'POST', target: path, headers: { host, 'content-type': type, ...headers }, body },
      { credentials, region: 'us-east-1', signingName, now: instant(Date.now()) },
    );
    return new Promise((resolve) => {
      const sent = request({
        ...{ hostname, port, path, agent, method: 'POST' },
        headers: { ...signed, 'user-agent': userAgent, 'content-length': Buffer.byteLength(body) },
      });
      sent.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', () => resolve(0));
        response.on('end', () => {
          onBody?.(text);
          resolve(response.statusCode ?? 0);
        });
      });
      sent.setTimeout(RESPONSE_MILLISECONDS, () => sent.destroy());
      sent.on('error', () => resolve(0));
      sent.end(body);
    });
  };
}

interface Targets {
  readonly meetings: readonly string[];
  readonly channels: readonly string[];
  readonly bearer: string;
}

async function prepare(call: Send, kinds: readonly Kind[]): Promise<Targets> {
  async function make<Made>(path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Made> {
    let text = '';
    const status = await call(
      'prepare',
      { path, signingName: 'chime', headers, body: JSON.stringify(body) },
      (received) => (text = received),
    );
    if (status >= 300) throw new Error(`${path} returned ${status}: ${text}`);
    return JSON.parse(text) as Made;
  }
  const meetings: string[] = [];
  for (let i = 0; i < MEETINGS && kinds.includes('attendee'); i++) {
    const made = { ClientRequestToken: `meeting-${i}`, MediaRegion: 'us-east-1', ExternalMeetingId: `meeting-${i}` };
    meetings.push((await make<{ Meeting: { MeetingId: string } }>('/meetings', made)).Meeting.MeetingId);
  }
  if (!kinds.includes('message')) return { meetings, channels: [], bearer: '' };
  const { AppInstanceArn } = await make<{ AppInstanceArn: string }>('/app-instances', { Name: 'chat', ClientRequestToken: 'chat' });
  const user = { AppInstanceArn, AppInstanceUserId: 'ada', Name: 'ada', ClientRequestToken: 'ada' };
  const { AppInstanceUserArn: bearer } = await make<{ AppInstanceUserArn: string }>('/app-instance-users', user);
  const channels: string[] = [];
  for (let i = 0; i < CHANNELS; i++) {
    const made = { AppInstanceArn, Name: `channel ${i}`, ClientRequestToken: `channel-${i}` };
    const { ChannelArn } = await make<{ ChannelArn: string }>('/channels', made, { 'x-amz-chime-bearer': bearer });
    channels.push(ChannelArn);
  }
  return { meetings, channels, bearer };
}

function requestOf(kind: Kind, key: string, n: number, refuse: boolean, { meetings, channels, bearer }: Targets): SentRequest {
  switch (kind) {
    case 'attendee': {
      const meeting = refuse ? '00000000-0000-4000-8000-000000000000' : meetings[n % meetings.length];
      return { path: `/meetings/${meeting}/attendees`, signingName: 'chime', body: JSON.stringify({ ExternalUserId: key }) };
    }
    case 'user': {
      // The service refuses this name, because the administrator already has it.
      const UserName = refuse ? 'admin' : key;
      return {
        path: '/',
        signingName: 'iam',
        body: new URLSearchParams({ Action: 'CreateUser', Version: '2010-05-08', UserName }).toString(),
      };
    }
    case 'message': {
      const channel = refuse ? `${channels[0]}0` : channels[n % channels.length];
      const message = { Content: key, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: key };
      const path = `/channels/${encodeURIComponent(channel as string)}/messages`;
      return { path, signingName: 'chime', headers: { 'x-amz-chime-bearer': bearer }, body: JSON.stringify(message) };
    }
  }
}

const ROWS: Readonly<Record<Kind, string>> = {
  attendee: 'SELECT external_user_id AS key FROM attendee',
  user: "SELECT key FROM identity_document WHERE kind = 'user' AND deleted = 0",
  message: `SELECT substring(document FROM '"(message-[0-9]+)"') AS key FROM channel_message`,
};

/** Compares every change with its row and records, and every row with the changes. Returns the contradictions. */
async function contradictions(client: pg.Client, changes: readonly Change[]): Promise<readonly string[]> {
  const { rows } = await client.query<PackContent>('SELECT heads, documents FROM trail_pack');
  const records = new Map<string, { succeeded: number; failed: number }>();
  for (const { document } of rows.flatMap(recordsOf)) {
    const { userAgent, errorCode } = JSON.parse(document) as { userAgent?: string; errorCode?: string };
    const of = records.get(userAgent ?? '') ?? { succeeded: 0, failed: 0 };
    records.set(userAgent ?? '', errorCode === undefined ? { ...of, succeeded: of.succeeded + 1 } : { ...of, failed: of.failed + 1 });
  }
  const present = new Set<string>();
  for (const kind of new Set(changes.map((change) => change.kind)))
    for (const { key } of (await client.query<{ key: string }>(ROWS[kind])).rows) present.add(key);

  const violations: string[] = [];
  for (const { key, outcome } of changes) {
    const { succeeded, failed } = records.get(key) ?? { succeeded: 0, failed: 0 };
    const row = present.has(key);
    const matches =
      outcome === 'acknowledged'
        ? row && succeeded === 1 && failed === 0
        : outcome === 'refused'
          ? !row && succeeded === 0 && failed === 1
          : succeeded === (row ? 1 : 0);
    if (!matches) violations.push(`${key} ${outcome}: ${row ? 'row' : 'no row'}, ${succeeded} records of success, ${failed} of failure`);
    present.delete(key);
  }
  for (const key of present) if (/^(?:attendee|user|message)-\d/.test(key)) violations.push(`${key} has a row, but was never sent`);
  return violations;
}
