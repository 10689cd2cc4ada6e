/** Measures the CPU time of the core thread for one GetMeeting, for the benchmarks that compare two servers. */
import { threadTimes } from '../test/kit/thread-time.ts';
import { load, median, type Process, signed } from './load.ts';

/** Creates the meeting that `roundOf` reads. */
export async function meetingOf(server: Process): Promise<string> {
  const body = JSON.stringify({ ClientRequestToken: 'bench', MediaRegion: 'us-east-1', ExternalMeetingId: 'bench' });
  const create = signed(server, 'POST', '/meetings', body);
  const answer = await fetch(server.endpoint + create.path, { method: 'POST', headers: create.headers, body });
  return ((await answer.json()) as { Meeting: { MeetingId: string } }).Meeting.MeetingId;
}

/** Returns the CPU time of the busiest thread, which is the core, for each request, in microseconds. */
function roundOf(server: Process, meetingId: string, seconds: number): number {
  const agent = { 'user-agent': 'aws-sdk-js/3.1175.0 ua/2.1 os/linux#6.1.0 lang/js md/nodejs#24.21.0 api/chime-sdk-meetings#3.1175.0' };
  const requests = Array.from({ length: 64 }, () => signed(server, 'GET', `/meetings/${meetingId}`, '', agent));
  const before = new Map(threadTimes(server.pid).map(({ id, milliseconds }) => [id, milliseconds]));
  const { requests: count, not2xx } = load(server.endpoint, requests, 64, seconds);
  if (not2xx > 0) throw new Error(`${not2xx} of ${count} responses were not 2xx`);
  const busiest = Math.max(...threadTimes(server.pid).map(({ id, milliseconds }) => milliseconds - (before.get(id) ?? 0)));
  return (1_000 * busiest) / count;
}

/** Time for which each server warms up, in seconds. */
const WARM_UP_SECONDS = 4;

/**
 * Runs short interleaved rounds, and prints the times of each server and the ratios to the first one. The order changes in each round, so
 * that a trend of the machine affects all equally.
 */
export async function compareCoreTimes(
  servers: Readonly<Record<string, Process>>,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<void> {
  const names = Object.keys(servers);
  const meetings = new Map<string, string>();
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (const [name, server] of Object.entries(servers)) {
    meetings.set(name, await meetingOf(server));
    roundOf(server, meetings.get(name) as string, WARM_UP_SECONDS);
  }
  for (let i = 0; i < rounds; i++) {
    for (const name of i % 2 === 0 ? names : names.toReversed())
      times.get(name)?.push(roundOf(servers[name] as Process, meetings.get(name) as string, seconds));
  }
  const width = Math.max(...names.map((name) => name.length));
  const [baseline = []] = times.values();
  for (const [name, all] of times) {
    const sorted = [...all].sort((a, b) => a - b).map((each) => each.toFixed(1));
    const ratios = all.map((each, i) => each / (baseline[i] as number));
    const best = Math.min(...all) / Math.min(...baseline);
    console.log(
      `${name.padEnd(width)} core thread: median ${median(all).toFixed(2)} µs a request, rounds ${sorted[0]} to ${sorted.at(-1)}; ` +
        `ratio per round: median ${median(ratios).toFixed(3)}; ratio of the best rounds ${best.toFixed(3)}`,
    );
  }
}
