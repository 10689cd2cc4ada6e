/** An organization with trusted access for analyzers, and its member accounts. */
import * as iam from '@aws-sdk/client-iam';
import * as org from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type Keys, keysOf } from '../kit/keys.ts';

/** Settings of a client. */
interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Keys;
}

/** Creates the organization. `client` returns the settings of a client with keys, by default those of the administrator. */
export async function createOrganization(client: (keys?: Keys) => ClientSettings) {
  const organizations = () => new org.OrganizationsClient(client());
  const admin = new iam.IAMClient(client());
  await organizations().send(new org.CreateOrganizationCommand({ FeatureSet: 'ALL' }));
  await organizations().send(new org.EnableAWSServiceAccessCommand({ ServicePrincipal: 'access-analyzer.amazonaws.com' }));
  const UserName = 'operator';
  await admin.send(new iam.CreateUserCommand({ UserName }));
  await admin.send(new iam.AttachUserPolicyCommand({ UserName, PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }));
  const operator = keysOf((await admin.send(new iam.CreateAccessKeyCommand({ UserName }))).AccessKey);

  return {
    organizations,
    /** Creates a member account. `keys` has credentials of its administrator. */
    async member(AccountName: string): Promise<{ readonly id: string; readonly keys: Keys }> {
      const Email = `${AccountName}@example.com`;
      const { CreateAccountStatus } = await organizations().send(new org.CreateAccountCommand({ AccountName, Email }));
      const id = CreateAccountStatus?.AccountId ?? '';
      const RoleArn = `arn:aws:iam::${id}:role/OrganizationAccountAccessRole`;
      const sts = new STSClient(client(operator));
      const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'me' }));
      return { id, keys: keysOf(Credentials) };
    },
  };
}
