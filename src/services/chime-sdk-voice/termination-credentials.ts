import type { ChimeSdkVoiceApi, Credential } from '#model/generated/chime-sdk-voice.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { configurationOf, connectorOrNotFound, onConnector, putDocument } from './found.ts';
import { sipCredentialBinding } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/** One step a character: printable US-ASCII. Source: Chime SDK API reference, Credential, "in US-ASCII format". */
const ASCII = /^[\x20-\x7e]+$/;

/**
 * Who SIP registers as. Passwords are kept sealed and given to nobody. Requirement LOG-4.
 *
 * Source: chime-sdk-voice 2022-08-03, PutVoiceConnectorTerminationCredentials and its like.
 */
export function terminationCredentialOperations({
  vault,
  limits,
}: VoiceDeps): Pick<
  Operations,
  'ListVoiceConnectorTerminationCredentials' | 'PutVoiceConnectorTerminationCredentials' | 'DeleteVoiceConnectorTerminationCredentials'
> {
  return {
    /** User names, in the order they were given. @throws NotFoundException no such connector */
    ListVoiceConnectorTerminationCredentials: {
      access: (input, caller) => onConnector(caller, 'chime:ListVoiceConnectorTerminationCredentials', input),
      async handle(call, input) {
        const { credentials } = (await connectorOrNotFound(call, input)).document;
        return { Usernames: credentials.map(({ username }) => username) };
      },
    },

    /**
     * Adds users; one that is there has the new password.
     *
     * Source: AWS provider of Terraform, aws_chime_voice_connector_termination_credentials: a termination must be there first.
     * Assumed: NotFoundException where it is not; that the others stay; the texts, which do not repeat what the model calls sensitive.
     * @throws NotFoundException   no such connector, or it has no termination
     * @throws BadRequestException no name or password, one outside US-ASCII, a name twice, or more users than there may be
     */
    PutVoiceConnectorTerminationCredentials: {
      access: (input, caller) => onConnector(caller, 'chime:PutVoiceConnectorTerminationCredentials', input),
      async handle(call, input) {
        const connector = await connectorOrNotFound(call, input);
        configurationOf(connector, 'termination');
        const users = new Map(connector.document.credentials.map((credential) => [credential.username, credential]));
        const given = namesAndPasswords(input.Credentials ?? []);
        if (new Set([...users.keys(), ...given.keys()]).size > limits.credentials) {
          throw new AwsError('BadRequestException', `A Voice Connector can have ${limits.credentials} termination credentials.`);
        }
        for (const [username, password] of given) {
          users.set(username, { username, sealedPassword: vault.seal(password, sipCredentialBinding(connector.id, username)) });
        }
        await putDocument(call, connector, { credentials: [...users.values()] });
        return {};
      },
    },

    /** Names it does not have are passed over. @throws NotFoundException no such connector */
    DeleteVoiceConnectorTerminationCredentials: {
      access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnectorTerminationCredentials', input),
      async handle(call, input) {
        const connector = await connectorOrNotFound(call, input);
        const credentials = connector.document.credentials.filter(({ username }) => !input.Usernames.includes(username));
        await putDocument(call, connector, { credentials });
        return {};
      },
    },
  };
}

function namesAndPasswords(credentials: readonly Credential[]): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const { Username, Password } of credentials) {
    if (Username === undefined || Password === undefined || !ASCII.test(Username) || !ASCII.test(Password)) {
      throw new AwsError('BadRequestException', 'Each credential must have a Username and a Password in US-ASCII.');
    }
    if (users.has(Username)) throw new AwsError('BadRequestException', 'A Username is given twice.');
    users.set(Username, Password);
  }
  return users;
}
