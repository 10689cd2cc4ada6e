/** Composition of the control socket, which receives the operator's commands. */
import type { Part } from '#core/part.ts';
import { SEALED_ENDPOINTS } from '#delivery/outgoing/tables/endpoints.ts';
import { SEALED_TARGETS } from '#delivery/tables/delivery-targets.ts';
import { SEALED_DIGEST_KEYS } from '#delivery/tables/digest-signing-keys.ts';
import { SEALED_LOG_KEYS } from '#store/trail/log/trail-log.ts';
import type { ControlParts } from '../operator/control.ts';
import { operatorKeyCommands } from '../operator/operator-key.ts';
import type { Identity } from './core-identity.ts';
import type { CoreParts } from './core-parts.ts';
import { DECLARED } from './services.ts';
import type { ServerTrailLog } from './trail-log.ts';

/** Creates the part that serves the operator's commands. */
export function controlPart(
  parts: CoreParts,
  { store, lease }: Identity,
  { gate }: ServerTrailLog,
  address: () => string,
  chime: Pick<ControlParts, 'addEmit' | 'loadChimeImport'>,
): Part {
  const { vault, ring, clock, newId, random, report } = parts;
  const { region, eventHistoryDays } = parts.settings;
  const common = { vault, store, region, now: clock.wall, newId, lease };
  let control: { close(): void } | undefined;
  return {
    name: 'control socket',
    async start() {
      control = await parts.listenForControl({
        ...common,
        ...chime,
        random,
        report,
        address,
        eventHistoryDays,
        restored: gate.restored,
        operatorKey: operatorKeyCommands({
          ...common,
          ring,
          sealed: DECLARED.flatMap(({ sealed = [] }) => sealed),
          rows: [SEALED_TARGETS, SEALED_ENDPOINTS, SEALED_DIGEST_KEYS, SEALED_LOG_KEYS],
        }),
      });
    },
    stop: () => control?.close(),
  };
}
