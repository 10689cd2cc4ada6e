import { sealedKind, service } from '../kit/service.ts';
import { busEventSubscription } from './accept.ts';
import { ARCHIVE, DELETED_ARCHIVE, REPLAY } from './archive-records.ts';
import { archiveSweep } from './archive-sweep.ts';
import { authorizeConnection, deauthorizeConnection } from './authorized-connection.ts';
import { API_DESTINATION, CONNECTION, resealedConnection } from './connection-records.ts';
import { invalid } from './errors.ts';
import type { EventsParts } from './operations.ts';

/** EventBridge: buses, rules and their targets, archives, connections and API destinations. */
export const events = service<EventsParts>({
  name: 'events',
  operations: async (parts) => (await import('./operations.ts')).eventsOperations(parts),
  kinds: [ARCHIVE, DELETED_ARCHIVE, REPLAY, CONNECTION, API_DESTINATION],
  sealed: [sealedKind(CONNECTION, resealedConnection)],
  sweeps: [archiveSweep],
  subscriptions: [busEventSubscription, authorizeConnection, deauthorizeConnection],
  invalidPageToken: () => invalid('Parameter NextToken is not valid.'),
});
