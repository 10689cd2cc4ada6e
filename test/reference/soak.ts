import { randomInt } from 'node:crypto';
import { firstDisagreement } from './agreement.ts';

/**
 * Decides many cases with the engine's fast path, and with the slower path that explains a decision:
 *
 *     node test/reference/soak.ts [cases] [seed]
 *
 * If the two decisions differ, prints the smallest case in which the decisions differ, and exits with status 1.
 */
const cases = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? randomInt(2 ** 30));
const BATCH = 100_000;

for (let done = 0; done < cases; done += BATCH) {
  const found = firstDisagreement(seed + done, Math.min(BATCH, cases - done));
  if (found !== undefined) {
    console.error(found);
    process.exit(1);
  }
  console.log(`${Math.min(done + BATCH, cases)} cases agree (from seed ${seed})`);
}
