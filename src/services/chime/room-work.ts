import type { Principal } from '#core/principal.ts';
import type { Call } from '../kit/operation.ts';

/** Transaction and caller that change rooms. The caller of an import is not an authenticated one. */
export type RoomWork = Pick<Call, 'tx' | 'now' | 'newId' | 'emit' | 'accountId'> & { readonly principal: Pick<Principal, 'arn'> };
