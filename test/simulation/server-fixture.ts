/** Initial database of the server simulations: one account with users, a role, an app instance and a channel. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBase32 } from '#core/base32.ts';
import { instant } from '#core/instant.ts';
import { codeAt, stepAt } from '#services/iam/mfa.ts';
import type { Credentials } from '#sigv4/sign.ts';
import { CONSOLE_USERS, FIRST_PASSWORD, type Fixture, MFA_USER, ROLE } from './model.ts';
import { chimeRequest, type Output, outcomeOf, queryRequest, type Request, signed } from './requests.ts';
import { newNetwork, newServer, send } from './server.ts';
import { sqliteStorage } from './sqlite-storage.ts';
import { type Engine, postgresStorage, type Storage } from './storage.ts';
import { runWorld, type World } from './world.ts';

export interface PreparedFixture extends Fixture {
  /** Database file for `newDatabase`. */
  readonly template: string;
}

const USERS = ['ada', 'bob', 'cyd'];
/** Users of the app instance. */
const APP_USERS = ['ada', 'bea', 'cal'];

const prepared = new Map<Engine, Promise<PreparedFixture>>();

/** Returns the fixture of an engine (PostgreSQL or SQLite). Creates it once in this process. */
export function serverFixture(engine: Engine): Promise<PreparedFixture> {
  const known = prepared.get(engine) ?? prepare(engine);
  prepared.set(engine, known);
  return known;
}

/**
 * Creates the database of an engine. `template` is a database file that `copyTo` wrote. By default, the database is
 * empty.
 */
export function newStorage(engine: Engine, world: World, template?: string): Storage {
  return engine === 'postgres' ? postgresStorage(world, template) : sqliteStorage(world, template);
}

async function prepare(engine: Engine): Promise<PreparedFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-simulation-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const template = join(folder, 'template');
  const done = Promise.withResolvers<PreparedFixture>();
  const world = await runWorld(0, 600_000, (world) => {
    const database = newStorage(engine, world);
    const server = newServer(
      world,
      'template',
      database,
      newNetwork(world, () => false),
      () => {},
    );
    server.start();
    world.at(5_000, async () => {
      try {
        const admin = server.administrator() as Credentials;
        const fixture = await create(admin, async (request) => {
          const outcome = outcomeOf(await send(world, server, signed(request, admin, 'fixture'), 60_000));
          if (outcome.kind !== 'done')
            throw new Error(`the fixture failed: ${JSON.stringify({ request, outcome, reports: server.reports })}`);
          return outcome.output;
        });
        await server.core()?.stop();
        database.copyTo(template);
        database.close();
        done.resolve({ ...fixture, template });
      } catch (error) {
        done.reject(error);
      }
      world.end();
    });
  });
  if (world.violation() !== undefined) throw new Error(`the fixture failed ${world.violation()}`);
  return done.promise;
}

/**
 * Creates the resources of the fixture. Calls each service that the simulation uses, so that the code of the service is
 * loaded before a simulation begins.
 */
async function create(admin: Credentials, call: (request: Request) => Promise<Output>): Promise<Fixture> {
  const accountId = (await call(queryRequest('sts', 'GetCallerIdentity', {}))).member('Account');
  const users: Fixture['users'][number][] = [];
  for (const name of USERS) {
    await call(queryRequest('iam', 'CreateUser', { UserName: name }));
    const key = await call(queryRequest('iam', 'CreateAccessKey', { UserName: name }));
    users.push({ name, credentials: { accessKeyId: key.member('AccessKeyId'), secretAccessKey: key.member('SecretAccessKey') } });
  }
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: USERS.map((name) => `arn:aws:iam::${accountId}:user/${name}`) } },
    ],
  });
  await call(queryRequest('iam', 'CreateRole', { RoleName: ROLE, AssumeRolePolicyDocument }));
  const meeting = { ClientRequestToken: 'first', ExternalMeetingId: 'first', MediaRegion: 'us-east-1' };
  await call(chimeRequest('meetings', 'POST', '/meetings', { body: meeting }));
  const instance = { Name: 'chat', ClientRequestToken: 'chat' };
  const AppInstanceArn = (await call(chimeRequest('identity', 'POST', '/app-instances', { body: instance }))).member('AppInstanceArn');
  const appUserArns: string[] = [];
  for (const id of APP_USERS) {
    const body = { AppInstanceArn, AppInstanceUserId: id, Name: id, ClientRequestToken: id };
    appUserArns.push((await call(chimeRequest('identity', 'POST', '/app-instance-users', { body }))).member('AppInstanceUserArn'));
  }
  const [bearer, ...MemberArns] = appUserArns as [string, ...string[]];
  const channel = { AppInstanceArn, Name: 'general', ClientRequestToken: 'general', MemberArns };
  const channelArn = (await call(chimeRequest('messaging', 'POST', '/channels', { bearer, body: channel }))).member('ChannelArn');
  const mfaSeed = await createConsoleUsers(call);
  return { accountId, admin, users, mfaSeed, appInstanceArn: AppInstanceArn, appUserArns, channelArn };
}

/** Creates the passwords of the console users and the MFA device of one of them. Returns the seed of the device. */
async function createConsoleUsers(call: (request: Request) => Promise<Output>): Promise<string> {
  for (const UserName of CONSOLE_USERS) {
    if (!USERS.includes(UserName)) await call(queryRequest('iam', 'CreateUser', { UserName }));
    await call(queryRequest('iam', 'CreateLoginProfile', { UserName, Password: FIRST_PASSWORD }));
  }
  const device = await call(queryRequest('iam', 'CreateVirtualMFADevice', { VirtualMFADeviceName: MFA_USER }));
  const seed = fromBase32(Buffer.from(device.member('Base32StringSeed'), 'base64').toString());
  // Enables the device with codes of earlier time steps, so that the run's codes are unused.
  const step = stepAt(instant(Date.now())) - 1;
  const codes = { AuthenticationCode1: codeAt(seed, step - 1), AuthenticationCode2: codeAt(seed, step) };
  const SerialNumber = device.member('SerialNumber');
  await call(queryRequest('iam', 'EnableMFADevice', { UserName: MFA_USER, SerialNumber, ...codes }));
  return Buffer.from(seed).toString('base64');
}
