import type { Instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { VOICE_CONNECTOR } from '../kinds.ts';
import { connectorOfAnyAccount } from './state.ts';

/** Stores the time and the source of a SIP OPTIONS request to a Voice Connector with a termination. */
export async function storePing({ tx, now }: { readonly tx: Tx; readonly now: Instant }, id: string, Source: string): Promise<void> {
  const connector = await connectorOfAnyAccount(tx, id);
  if (connector?.document.Termination === undefined) return;
  const document = { ...connector.document, TerminationHealth: { Source, Timestamp: now } };
  await tx.resources.put(VOICE_CONNECTOR, { ...connector, document });
}
