/**
 * Changes identity records of an account with messaging sessions. The core thread, which executes the calls of all
 * clients, then re-authorizes the sessions in slices. A slice is a short run between other requests. Measures the
 * longest time in which the thread serves no other caller. One case has 60 sessions of a user with slow policies. The
 * other case has 5,000 ordinary sessions. The times are CPU times of the thread, so other load of the machine does not
 * change them. Command: `npm run bench session-slices`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openSessions, user } from '#realtime/fixture.ts';
import { cpuMs, measureTurns } from './lib-turns.ts';

const SLOW_SESSIONS = 60;
/**
 * Number of patterns in the slow policy. A pattern has about 500 characters, so all patterns together have 120,000
 * characters. The maximum length of a policy is 131,072 characters (`POLICY_TEXT_MAX`).
 */
const PATTERNS = 240;
const SESSIONS = 5_000;
const USERS = 500;

type Chat = Awaited<ReturnType<typeof openSessions>>;

/**
 * Runs calls until `stopped` returns true. A call has two transactions in different turns of the event loop. Returns
 * the longest CPU time of a call.
 */
async function longestCall({ store }: Chat, stopped: () => boolean): Promise<number> {
  let longest = 0;
  while (!stopped()) {
    const began = cpuMs();
    await store.transaction((tx) => tx.meta.get('bench'));
    await nextTurn();
    await store.transaction((tx) => tx.meta.get('bench'));
    longest = Math.max(longest, cpuMs() - began);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return longest;
}

async function slowPolicies(): Promise<void> {
  const chat = await openSessions({ sessionsOfUser: SLOW_SESSIONS });
  await chat.addUser('ada');
  const all = Array.from({ length: SLOW_SESSIONS }, () => chat.connect(user('ada'), { userAgent: 'a'.repeat(1_000) }));
  await chat.until(() => all.every(({ frames }) => frames.length > 0));
  const slow = Array.from({ length: PATTERNS }, (_, i) => `*${'a'.repeat(490)}${i}*`);
  const { totalMs, blockedMs } = await measureTurns(async () => {
    await chat.setRolePolicy([
      { Effect: 'Deny', Action: 'chime:Connect', Resource: '*', Condition: { StringLike: { 'aws:UserAgent': slow } } },
      { Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') },
    ]);
    await chat.until(() => all.every(({ closed }) => closed !== undefined));
  });
  console.log(
    `${SLOW_SESSIONS} sessions with slow policies: ${totalMs.toFixed(0)} ms of CPU, event loop blocked for ${blockedMs.toFixed(0)} ms`,
  );
  await chat.stop();
}

async function manySessions(): Promise<void> {
  const chat = await openSessions({ sessionsOfUser: SESSIONS, sessionsOfAccount: SESSIONS });
  for (let i = 0; i < USERS; i++) await chat.addUser(`user-${i}`);
  const all = Array.from({ length: SESSIONS }, (_, i) => chat.connect(user(`user-${i % USERS}`)));
  await chat.until(() => all.every(({ frames }) => frames.length > 0));
  // Prints only the second round. In the first round, Node still compiles the code.
  for (const round of [1, 2]) {
    let done = false;
    const calls = longestCall(chat, () => done);
    const began = performance.now();
    const { totalMs, blockedMs } = await measureTurns(() =>
      chat.countDuring(async (counts) => {
        await chat.setRolePolicy({ Effect: 'Allow', Action: ['chime:Connect', `chime:Round${round}`], Resource: '*' });
        while (counts.sessions < SESSIONS) await new Promise((resolve) => setTimeout(resolve, 5));
      }),
    );
    const seconds = ((performance.now() - began) / 1_000).toFixed(2);
    done = true;
    const call = await calls;
    if (round === 2) {
      console.log(
        `${SESSIONS} sessions: ${totalMs.toFixed(0)} ms of CPU in ${seconds} s, event loop blocked for ${blockedMs.toFixed(1)} ms, longest call ${call.toFixed(1)} ms`,
      );
    }
  }
  await chat.stop();
}

await slowPolicies();
await manySessions();
process.exit(0);
