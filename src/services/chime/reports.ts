/** Reports of the console: the usage dashboard, meetings and the activity of a user. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, UsageReportDay } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { accountOrNotFound, badRequest, notFound, toUser, userOrNotFound } from './stored-accounts.ts';
import { type DayRange, messageCounts } from './tables/message-counts.ts';
import { users } from './tables/users.ts';

/** Days before the last one, if the request has no first day. */
const DEFAULT_DAYS = 30;
/** Most days of a report. Assumed. */
const DAYS_MAX = 366;
const DAYS = `The first day must exist and not be after the last, which must exist and not be in the future: at most ${DAYS_MAX} days.`;

/**
 * Source: Service Authorization Reference, Amazon Chime: the actions; Administration Guide, "Viewing usage reports", and chime.md §6: the columns.
 * Assumed: (1) inputs, outputs and errors, as AWS publishes none. (2) Columns about meetings are absent and not zero, because this server has no
 * meetings of Amazon Chime. (3) Messages of rooms and of conversations count, in the account in which their writer was (`messages-of-people.ts`).
 *
 * Every operation throws NotFoundException if the account does not exist.
 */
export const reportOperations = {
  /**
   * Lists days with the users that are registered at their end, the users that wrote messages, and their messages.
   *
   * Assumed: a user that left the account since then is not counted, because the server has no history of users.
   * @throws BadRequestException  the days are invalid, or the token is
   */
  ListAccountUsageReportData: {
    async handle(call, input) {
      const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
      const { first, last } = daysOf(input, call.now);
      const { items, rest } = await pageOf(
        `ListAccountUsageReportData ${chimeAccountId} ${dateOf(first)} ${dateOf(last)}`,
        input,
        async (limit, after) => {
          const from = after === undefined ? first : Math.max(first, dayOf(after) + 1);
          const days = Array.from({ length: Math.min(limit, Math.max(last - from + 1, 0)) }, (_, i) => from + i);
          const registrations = await call.tx.of(users).registrations(chimeAccountId, instant((last + 1) * DAY_MS));
          const range = { first: from, last: from + days.length - 1 };
          const written = new Map((await call.tx.of(messageCounts).days(chimeAccountId, range)).map((each) => [each.day, each]));
          return days.map((day): UsageReportDay & { readonly Date: string } => ({
            Date: dateOf(day),
            ActiveUsers: written.get(day)?.writers ?? 0,
            ChatMessagesSent: written.get(day)?.messages ?? 0,
            RegisteredUsers: registrations.reduce((sum, each) => (each.day <= day ? sum + each.count : sum), 0),
          }));
        },
        ({ Date: date }) => date,
      );
      return { UsageReportData: items, ...rest };
    },
  },

  /** There are no meetings of Amazon Chime, so the list is empty. @throws BadRequestException  the days are invalid */
  ListMeetingsReportData: {
    async handle(call, input) {
      await accountOrNotFound(call, input.AccountId);
      daysOf(input, call.now);
      return { Meetings: [] };
    },
  },

  /** @throws NotFoundException  the meeting does not exist, as no meeting of Amazon Chime does */
  GetMeetingDetail: {
    async handle(call, { AccountId, ConferenceId }) {
      await accountOrNotFound(call, AccountId);
      throw notFound('Meeting', ConferenceId);
    },
  },

  /** @throws NotFoundException  the meeting does not exist, as no meeting of Amazon Chime does */
  ListMeetingEvents: {
    async handle(call, { AccountId, ConferenceId }) {
      await accountOrNotFound(call, AccountId);
      throw notFound('Meeting', ConferenceId);
    },
  },

  /** Returns the user, their messages, and the time of the last one. @throws NotFoundException  the user does not exist · BadRequestException  the days are invalid */
  GetUserActivityReportData: {
    async handle(call, input) {
      const { user } = await userOrNotFound(call, input);
      const range = daysOf(input, call.now);
      const { chimeAccountId, userId } = user;
      const counts = call.tx.of(messageCounts);
      const ChatMessagesSent = (await counts.ofUsers(chimeAccountId, [userId], range)).get(userId) ?? 0;
      const LastActiveTimestamp = await counts.lastOf(chimeAccountId, userId);
      return { UserActivity: omitUndefined({ User: toUser(user), ChatMessagesSent, LastActiveTimestamp }) };
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

/** @throws BadRequestException  a day does not exist or is in the future, the first is after the last, or there are too many */
function daysOf({ StartDate, EndDate }: { readonly StartDate?: string; readonly EndDate?: string }, now: Instant): DayRange {
  const today = Math.floor(now / DAY_MS);
  const last = EndDate === undefined ? today - 1 : dayOf(EndDate);
  const first = StartDate === undefined ? last - DEFAULT_DAYS : dayOf(StartDate);
  if (last > today || first > last || last - first >= DAYS_MAX) throw badRequest(DAYS);
  return { first, last };
}

function dayOf(date: string): number {
  const at = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00.000Z`) : Number.NaN;
  if (Number.isNaN(at) || dateOf(at / DAY_MS) !== date) throw badRequest(DAYS);
  return at / DAY_MS;
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
