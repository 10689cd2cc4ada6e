import { RESOURCE, type ResourceKey } from '#store/resources.ts';
import type { Sql } from '#store/sql.ts';

/** Places of Voice Connectors, whose IDs are unique in the whole server. */
export interface ConnectorPlaces {
  /** Returns the key of a Voice Connector. */
  find(id: string): Promise<ResourceKey | undefined>;
}

const FIND = "SELECT * FROM resource WHERE kind = 'vc' AND id = $1";

/** Creates the repository of one transaction. */
export function connectorPlaces(sql: Sql): ConnectorPlaces {
  return {
    async find(id) {
      const row = await RESOURCE.row(sql, FIND, [id]);
      return row && { accountId: row.accountId, region: row.region, parent: row.parent, id: row.id };
    },
  };
}
