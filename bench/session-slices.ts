/**
 * Changes identity in an account with 60 messaging sessions of a user with slow policies. Measures how long the core thread, which
 * authorizes the sessions again, serves no other caller. Command: `npm run bench session-slices`. The times are CPU times, so other load
 * of the machine does not change them.
 */
import { openSessions, user } from '#realtime/fixture.ts';

const SESSIONS = 60;
/** Number of patterns. Each has about 500 characters. Together they have 120,000 characters, the maximum length of a policy. */
const PATTERNS = 240;

const chat = await openSessions({ sessionsOfUser: SESSIONS });
await chat.addUser('ada');
const all = Array.from({ length: SESSIONS }, () => chat.connect(user('ada'), { userAgent: 'a'.repeat(1_000) }));
await chat.until(() => all.every(({ frames }) => frames.length > 0));

const milliseconds = (): number => {
  const { user: own, system } = process.threadCpuUsage();
  return (own + system) / 1000;
};
let longest = 0;
let last = milliseconds();
let turn = setImmediate(function next() {
  const now = milliseconds();
  longest = Math.max(longest, now - last);
  last = now;
  turn = setImmediate(next);
});
const began = milliseconds();
const slow = Array.from({ length: PATTERNS }, (_, i) => `*${'a'.repeat(490)}${i}*`);
await chat.setRolePolicy([
  { Effect: 'Deny', Action: 'chime:Connect', Resource: '*', Condition: { StringLike: { 'aws:UserAgent': slow } } },
  { Effect: 'Allow', Action: 'chime:Connect', Resource: user('bob') },
]);
await chat.until(() => all.every(({ closed }) => closed !== undefined));
clearImmediate(turn);
console.log(`all ${SESSIONS} sessions: ${(milliseconds() - began).toFixed(0)} ms of CPU`);
console.log(`longest time in which the event loop was blocked: ${longest.toFixed(0)} ms of CPU`);
await chat.stop();
process.exit(0);
