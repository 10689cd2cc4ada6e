/**
 * Most expensive policies and requests that searches have found so far. Includes policies that were expensive for an
 * earlier version of the code that matches patterns.
 */
import type { Genome } from './worst-policies-search.ts';

const BASE: Genome = {
  effect: 'Deny',
  element: 'Condition',
  operator: 'StringLike',
  key: 'aws:UserAgent',
  pattern: [{ text: '*', times: 1 }],
  perStatement: 1000,
  value: [{ text: 'a', times: 1 }],
  valueEnd: 'cb',
  otherValue: [{ text: 'a', times: 1 }],
  otherLength: 512,
};

function genome(pattern: string, genes: Partial<Genome> = {}): Genome {
  return { ...BASE, pattern: [{ text: pattern, times: 1 }], ...genes };
}

const TAG_KEYS: Partial<Genome> = { operator: 'ForAnyValue:StringLike', key: 'aws:TagKeys' };
const REFERER = '$' + '{aws:Referer}';

// biome-ignore format: a table
export const WORST_GENOMES: readonly (readonly [name: string, genome: Genome])[] = [
  ['a long suffix and User-Agent',              genome(`*${'a'.repeat(500)}b`)],
  ['a long middle and User-Agent',              genome(`*${'a'.repeat(500)}bc*`)],
  ['short middles and User-Agent',              genome('*a?a?bc*')],
  ['short middles and an external ID',          genome('*a?a?bc*', { key: 'sts:ExternalId' })],
  ['a variable in the middle and User-Agent',   genome(`*${REFERER}?bc*`)],
  ['short middles and fifty tag keys',          genome('*a?a?bc*', TAG_KEYS)],
  ['stars between letters and fifty tag keys',  genome('a*a*bc', TAG_KEYS)],
  ['single characters and fifty tag keys',      genome('?', TAG_KEYS)],
  ['a variable and fifty tag keys',             genome(`?${REFERER}?`, { ...TAG_KEYS, otherLength: 64 })],
  ['case ignored and fifty tag keys',           genome(`${REFERER}a`, { ...TAG_KEYS, operator: 'ForAnyValue:StringEqualsIgnoreCase', otherLength: 64 })],
  ['numbers and fifty tag keys',                genome('1', { ...TAG_KEYS, operator: 'ForAnyValue:NumericEquals', perStatement: 1, value: [{ text: '1', times: 1 }], valueEnd: '' })],
  ['bytes and fifty tag keys',                  genome('QQ==', { ...TAG_KEYS, operator: 'ForAnyValue:BinaryEquals', perStatement: 1 })],
  ['segments of ARNs and fifty tag keys',       genome('*:*:*:*:*:a*bc', { ...TAG_KEYS, operator: 'ForAnyValue:ArnLike', value: [{ text: 'arn:a:a:a:a:', times: 1 }] })],
  ['resources',                                 genome('a*a*bc*', { element: 'Resource' })],
];
