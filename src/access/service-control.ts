import type { AccountId } from '#core/arn.ts';
import type { CompiledPolicy, SourcedPolicy } from '#policy/engine.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * The service control policies over an account, one list a level from the organization's root down to the account.
 * Undefined where none bind it: no organization, the management account. Requirement EVAL-6.
 */
export function serviceControlLevels(
  _snapshot: Snapshot,
  _accountId: AccountId,
  _compiled: (holder: object, name: string, text: string) => CompiledPolicy,
): readonly (readonly SourcedPolicy[])[] | undefined {
  return undefined;
}
