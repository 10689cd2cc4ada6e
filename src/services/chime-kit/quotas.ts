/** Quotas of Amazon Chime, which the operator can change. */
export interface ChimeQuotas {
  /** Rooms of an account. */
  readonly rooms: number;
  /** Members of a room, and rooms of a member. */
  readonly memberships: number;
  /** Bots of an account. */
  readonly bots: number;
}

/** AWS's values. Source: General Reference, "Amazon Chime endpoints and quotas"; Administration Guide, "Managing bots". */
export const DEFAULT_QUOTAS: ChimeQuotas = { rooms: 1_500, memberships: 1_000, bots: 10 };

/** Largest values that the operator can set. They bound the work for a whole room, member or account. */
export const QUOTAS_MAX: ChimeQuotas = { rooms: 100_000, memberships: 100_000, bots: 100 };
