/** Search of channels by their members. One page reads a bounded number of rows, whichever members it looks for. */
import type { Sql, SqlValue } from '#store/sql.ts';
import { CHANNEL, type ChannelRecord } from './channels.ts';

/** Members that channels must have. */
export interface ChannelSearch {
  readonly appInstanceId: string;
  /** At least one member key, without duplicates. */
  readonly members: readonly string[];
  /** Whether channels with other members are omitted. */
  readonly exactly: boolean;
  /** Member whose search it is: other hidden members do not count. Absent: all members count. */
  readonly seenBy?: string | undefined;
}

/** Part of the result. */
export interface FoundChannels {
  /** Channels in the order of channel keys. */
  readonly found: readonly ChannelRecord[];
  /** Channel key up to which the page has read. Absent if there are no channels after it. */
  readonly readTo?: string;
}

/** Creates the search of one transaction. */
export function channelSearch(sql: Sql) {
  return {
    page: (search: ChannelSearch, limit: number, after?: string, candidates?: number): Promise<FoundChannels> =>
      searchChannels(sql, search, limit, after, candidates),
  };
}

/** Index entries that one page reads: it looks for each member in each of the candidates. */
const READS_MAX = 20_000;
const CANDIDATES_MAX = 1_000;
const CANDIDATES_MIN = 10;

/**
 * Returns at most `limit` channels that have all members, after the channel key `after`. Omits elastic channels.
 *
 * The candidates are the next channels of one member. It is the member whose candidates extend furthest in the order of channel keys, which is the one in the
 * fewest channels. A page can have fewer channels than `limit`, or none, although others follow. `candidates` is their number, for tests.
 */
async function searchChannels(
  sql: Sql,
  { appInstanceId, members, exactly, seenBy }: ChannelSearch,
  limit: number,
  after = '',
  candidates = Math.min(CANDIDATES_MAX, Math.max(CANDIDATES_MIN, Math.floor(READS_MAX / (2 * members.length)))),
): Promise<FoundChannels> {
  let [driver = ''] = members;
  let end: string | undefined = '';
  for (const member of members) {
    const row = await sql.row<{ readonly channel_key: string }>(LAST_CANDIDATE, [appInstanceId, member, after, candidates - 1]);
    if (row !== undefined && row.channel_key <= end) continue;
    driver = member;
    end = row?.channel_key;
    if (end === undefined) break;
  }
  const values: SqlValue[] = [appInstanceId, driver, after, limit, members.length, ...members];
  if (seenBy !== undefined) values.push(seenBy);
  if (end !== undefined) values.push(end);
  const found = await CHANNEL.rows(sql, searchText(members, { exactly, seenBy, isCut: end !== undefined }), values);
  if (found.length === limit) return { found, readTo: (found.at(-1) as ChannelRecord).channelKey };
  return end === undefined ? { found } : { found, readTo: end };
}

const LAST_CANDIDATE = `
  SELECT channel_key FROM channel_membership
  WHERE app_instance_id = $1 AND member = $2 AND channel_key > $3 ORDER BY channel_key, sub_channel_id LIMIT 1 OFFSET $4`;

/**
 * Query of the candidates. Parameters: app instance, member with the candidates, channel key after which they begin, limit, number of members, the
 * members, `seenBy`, and the channel key of the last candidate. Each inner query reads at most one row more than there are members.
 */
function searchText(
  members: readonly string[],
  { exactly, seenBy, isCut }: Pick<ChannelSearch, 'exactly' | 'seenBy'> & { readonly isCut: boolean },
): string {
  const first = 6;
  const list = members.map((_, i) => `$${i + first}`).join(', ');
  let next = first + members.length;
  const seer = seenBy === undefined ? undefined : `$${next++}`;
  const end = isCut ? `AND m.channel_key <= $${next}` : '';
  const visible = seer === undefined ? '' : `AND (o.type <> 'HIDDEN' OR o.member = ${seer})`;
  const of = (alias: string) => `${alias}.channel_key = m.channel_key AND ${alias}.sub_channel_id = ''`;
  const others: string[] = [];
  if (exactly) {
    const isSeen = seer === undefined ? '' : "AND t.type = 'DEFAULT'";
    others.push(`AND NOT EXISTS (SELECT 1 FROM channel_membership AS t WHERE ${of('t')} ${isSeen} AND t.member NOT IN (${list}))`);
    if (seer !== undefined && !members.includes(seenBy ?? ''))
      others.push(`AND NOT EXISTS (SELECT 1 FROM channel_membership AS s WHERE ${of('s')} AND s.member = ${seer})`);
  }
  return `SELECT c.* FROM channel_membership AS m JOIN channel AS c ON c.channel_key = m.channel_key
    WHERE m.app_instance_id = $1 AND m.member = $2 AND m.channel_key > $3 ${end} AND m.sub_channel_id = ''
      AND $5 = (SELECT COUNT(*) FROM channel_membership AS o WHERE ${of('o')} AND o.member IN (${list}) ${visible})
      ${others.join('\n      ')}
    ORDER BY m.channel_key LIMIT $4`;
}
