/**
 * Measures GetMeeting with signature, authorization and a durable trail record, on PostgreSQL compared with SQLite.
 * Also measures the CPU time of the server process for one request. Uses interleaved rounds and 64 connections, with
 * PostgreSQL on the same machine. Command: `npm run bench get-meeting-postgres`.
 */
import { testPostgres } from '../test/store/test-postgres.ts';
import { cpuSeconds } from './chat.ts';
import { type Load, load, median, signed, startProcess } from './load.ts';

const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
const SECONDS = Number(process.env['SECONDS_EACH'] ?? 5);
const CONNECTIONS = 64;

const postgres = await testPostgres();
const names = ['SQLite', 'PostgreSQL'] as const;
const servers = {
  SQLite: await startProcess('belfry'),
  PostgreSQL: await startProcess('belfry', { environment: { BELFRY_DATABASE: postgres.url } }),
};
const paths = { SQLite: '', PostgreSQL: '' };
const requests = (name: (typeof names)[number]) => Array.from({ length: 64 }, () => signed(servers[name], 'GET', paths[name]));
for (const name of names) {
  const body = JSON.stringify({ ClientRequestToken: 'bench', MediaRegion: 'us-east-1', ExternalMeetingId: 'bench' });
  const create = signed(servers[name], 'POST', '/meetings', body);
  const response = await fetch(servers[name].endpoint + create.path, { method: 'POST', headers: create.headers, body });
  paths[name] = `/meetings/${((await response.json()) as { Meeting: { MeetingId: string } }).Meeting.MeetingId}`;
  load(servers[name].endpoint, requests(name), CONNECTIONS, 3);
}

const rounds: Record<(typeof names)[number], (Load & { readonly cpuUs: number })[]> = { SQLite: [], PostgreSQL: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const name of names) {
    const before = cpuSeconds(servers[name].pid);
    const result = load(servers[name].endpoint, requests(name), CONNECTIONS, SECONDS);
    if (result.not2xx > 0) throw new Error(`${name}: ${result.not2xx} of ${result.requests} were not 2xx`);
    rounds[name].push({ ...result, cpuUs: ((cpuSeconds(servers[name].pid) - before) * 1e6) / result.requests });
  }
}
for (const name of names) {
  const middle = (of: (one: Load & { readonly cpuUs: number }, round: number) => number) => median(rounds[name].map(of));
  const ratio = middle((one, round) => one.perSecond / (rounds.SQLite[round] as Load).perSecond);
  console.log(
    `${name.padEnd(11)} ${Math.round(middle((one) => one.perSecond))} /s   p50 ${middle((one) => one.p50Ms).toFixed(2)} ms   p99 ${middle((one) => one.p99Ms).toFixed(2)} ms   CPU ${Math.round(middle((one) => one.cpuUs))} µs each   ratio to SQLite ${ratio.toFixed(2)}`,
  );
}
await Promise.all(names.map((name) => servers[name].stop()));
await postgres.stop();
