import type { StateValue } from '#model/generated/cloudwatch.ts';
import type { MissingData } from './evaluation.ts';

/**
 * Returns the state that follows from points by the rules of the guide, or undefined if the alarm keeps its state. It repeats `evaluate` on a string,
 * for tests: `0` is good, `X` is breaching, `-` is missing, the oldest first.
 */
export function obviousState(text: string, n: number, m: number, missingData: MissingData): StateValue | undefined {
  const real = text.replaceAll('-', '');
  const fill = { breaching: 'X', notBreaching: '0', missing: '', ignore: '' }[missingData];
  const decisive = real.length >= n || fill === '' ? real.slice(-n) : real.padEnd(n, fill);
  if (decisive.replaceAll('0', '').length >= m) return 'ALARM';
  if (real.length >= n || fill !== '' || real.includes('0')) return 'OK';
  if (missingData === 'ignore') return undefined;
  if (real === '') return 'INSUFFICIENT_DATA';
  return text.length - text.indexOf('X') >= m ? 'ALARM' : undefined;
}
