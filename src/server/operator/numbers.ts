/** The operator's commands for the inventory of phone numbers. Each change is recorded in the trail of the operator's account. */
import type { AccountId } from '#core/arn.ts';
import { type ImportRow, NUMBERS_AT_ONCE } from '#services/chime-kit/inventory-columns.ts';
import { importNumber } from '#services/chime-kit/inventory-import.ts';
import { phoneInventory, productsOf } from '#services/chime-kit/tables/phone-inventory.ts';
import type { Store, Tx } from '#store/store.ts';
import { OPERATOR_ACCOUNT } from '../core/first-start.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the commands for numbers. */
export interface NumberCommandParts extends Pick<AccountParts, 'region' | 'now' | 'newId'> {
  readonly store: Store;
}

/** A line of a file, with its number in the file. */
export interface NumberedRow {
  readonly line: number;
  readonly fields: ImportRow;
}

/** Result of an import. */
export interface ImportReport {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
}

/** A number as the list shows it. */
export interface ListedNumber {
  readonly number: string;
  readonly country: string;
  readonly type: string;
  readonly products: readonly string[];
  readonly place: readonly string[];
  readonly isFree: boolean;
}

/**
 * Imports lines. A line with a problem is not imported, and the others are.
 *
 * @throws Error  there are too many lines
 */
export async function importNumbers(parts: NumberCommandParts, rows: readonly NumberedRow[], isPreview: boolean): Promise<ImportReport> {
  requireFew(rows);
  return await parts.store.transaction(async (tx) => {
    const count = { added: 0, changed: 0, unchanged: 0 };
    const problems: { line: number; problem: string }[] = [];
    for (const { line, fields } of rows) {
      const outcome = await importNumber(tx, parts.now(), fields, isPreview);
      if (typeof outcome === 'string') count[outcome] += 1;
      else problems.push({ line, problem: outcome.problem });
    }
    const { added, changed } = count;
    if (!isPreview && added + changed > 0) await record(tx, parts, 'ImportPhoneNumbers', { added, changed });
    return { ...count, problems };
  });
}

/** Lists numbers in ascending order, starting after the number `after`. A full page may be followed by another. */
export async function listInventory({ store }: NumberCommandParts, after: string | undefined): Promise<readonly ListedNumber[]> {
  const found = await store.transaction((tx) => tx.of(phoneInventory).list(NUMBERS_AT_ONCE, after));
  return found.map((each) => {
    const { number, country, type, areaCode, state, city, isFree } = each;
    const place = [areaCode, state, city].filter((part) => part !== undefined);
    return { number, country, type, products: productsOf(each), place, isFree };
  });
}

/**
 * Removes free numbers. Returns the problem of each number that stays.
 *
 * @throws Error  there are too many numbers
 */
export async function removeNumbers(parts: NumberCommandParts, numbers: readonly string[]): Promise<readonly string[]> {
  requireFew(numbers);
  return await parts.store.transaction(async (tx) => {
    const problems: string[] = [];
    let removed = 0;
    for (const number of numbers.map(String)) {
      const found = await tx.of(phoneInventory).get(number);
      if (found === undefined) problems.push(`number '${number.slice(0, 20)}' does not exist`);
      else if (!found.isFree) problems.push(`number '${number}' belongs to an account`);
      else {
        await tx.of(phoneInventory).remove(number);
        removed += 1;
      }
    }
    if (removed > 0) await record(tx, parts, 'RemovePhoneNumbers', { removed });
    return problems;
  });
}

function requireFew(items: readonly unknown[]): void {
  if (!Array.isArray(items) || items.length > NUMBERS_AT_ONCE) throw new Error(`a command has at most ${NUMBERS_AT_ONCE} numbers`);
}

async function record(tx: Tx, parts: NumberCommandParts, eventName: string, details: Readonly<Record<string, unknown>>): Promise<void> {
  const accountId = (await tx.meta.get(OPERATOR_ACCOUNT)) as AccountId | undefined;
  if (accountId !== undefined) await tx.trail.append(operatorEvent(parts, accountId, eventName, details));
}
