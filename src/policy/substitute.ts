import type { Glob } from './glob.ts';
import { slotOf } from './keys.ts';
import { contextValue, type RequestRecord } from './request.ts';

/**
 * Returns the value of a variable, its default, or `undefined`. Only a key with a single value can be a variable. The value can be empty.
 *
 * Source: IAM User Guide, "Variables and tags": single-valued keys only, "Request information that you can use for policy variables".
 */
export function variableValue(record: RequestRecord, slot: number, key: string, fallback: string | undefined): string | undefined {
  const value = contextValue(record, slot, key);
  return typeof value === 'string' ? value : fallback;
}

/**
 * Writes the values of a pattern's variables to `record.scratch.texts`. Returns false if a variable has no value.
 * The values are literal: `*` and `${` have no meaning in them.
 */
export function fillTexts(record: RequestRecord, { variables }: Glob): boolean {
  const { texts } = record.scratch;
  for (let i = 0; i < variables.length; i++) {
    const { key, fallback } = variables[i] as Glob['variables'][number];
    const text = variableValue(record, slotOf(key), key, fallback);
    if (text === undefined) return false;
    texts[i] = text;
  }
  return true;
}
