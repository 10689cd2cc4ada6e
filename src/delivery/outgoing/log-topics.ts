/** Topics that trails of this server can notify: those for which the operator configured an endpoint of SNS. */
import { parseArn } from '#core/arn.ts';
import type { LogTopics } from '#services/cloudtrail/topics.ts';
import { endpoints } from './tables/endpoints.ts';

/** Check of topics for new and changed trails. An endpoint for all accounts reaches only topics of the trail's account, as for each message. */
export const endpointTopics: LogTopics = {
  async has(tx, topicArn, accountId) {
    const parts = parseArn(topicArn);
    const endpoint = parts && (await tx.of(endpoints).find('sns', accountId, parts.region));
    return endpoint !== undefined && (endpoint.accountId !== '' || parts?.accountId === accountId);
  },
};
