/** An account with an analyzer for external access, and functions that read its findings with AWS's client. */
import * as aa from '@aws-sdk/client-accessanalyzer';
import { startAccount, type TestAccount } from '../kit/account.ts';

/** AWS account outside of each zone of trust. */
export const STRANGER = '999988887777';

/** Creates an analyzer of the account. Returns its ARN. */
export async function createAnalyzer(client: aa.AccessAnalyzerClient, analyzerName: string): Promise<string> {
  const { arn = '' } = await client.send(new aa.CreateAnalyzerCommand({ analyzerName, type: 'ACCOUNT' }));
  return arn;
}

/** Returns functions that read the findings of a resource, oldest first. */
export function findingReader(client: aa.AccessAnalyzerClient, analyzerArn: string) {
  async function findingsOf(resource: string): Promise<readonly aa.FindingSummary[]> {
    const filter = { resource: { eq: [resource] } };
    const sort = { attributeName: 'createdAt' };
    return (await client.send(new aa.ListFindingsCommand({ analyzerArn, filter, sort }))).findings ?? [];
  }
  return {
    findingsOf,
    statusesOf: async (resource: string) => (await findingsOf(resource)).map(({ status }) => status),
    identified: async (resource: string) => (await findingsOf(resource)).map(({ id, status }) => [id, status]),
  };
}

/** Starts a server and creates the analyzer `own` of its first account. */
export async function startAnalyzedAccount(settings: Readonly<Record<string, string>> = {}) {
  const account: TestAccount = await startAccount(settings);
  const analyzer = new aa.AccessAnalyzerClient(account.client());
  const analyzerArn = await createAnalyzer(analyzer, 'own');
  return { account, analyzer, analyzerArn, ...findingReader(analyzer, analyzerArn) };
}
