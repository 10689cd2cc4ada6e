import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposureOf, type FileExposure, type FileKind } from './file-access.ts';

const SELF = 1000;
const GROUP = 1000;
/** Supplementary group of the process, such as `fsGroup` of a pod. */
const FS_GROUP = 2000;
const user = { userId: SELF, groupIds: [GROUP, FS_GROUP] };
const root = { userId: 0, groupIds: [0, FS_GROUP] };

// biome-ignore format: a table
const CASES: readonly [title: string, kind: FileKind, mode: number, uid: number, gid: number, exposure: FileExposure | undefined, asRoot?: FileExposure][] = [
  // title                                                 kind        mode     uid   gid        expected           expected if the process is root
  ['a folder of the process',                              'folder',   0o700,   SELF, GROUP,     undefined,         'another-owner'],
  ['a folder that others can list',                        'folder',   0o755,   SELF, GROUP,     undefined,         'another-owner'],
  ['a folder of the process below a volume with fsGroup',  'folder',   0o2700,  SELF, FS_GROUP,  undefined,         'another-owner'],
  ['a folder that its group can write to',                 'folder',   0o770,   SELF, GROUP,     'writable',        'another-owner'],
  ['a folder after fsGroup was applied to it',             'folder',   0o2770,  SELF, FS_GROUP,  'writable',        'another-owner'],
  ['a folder that all can write to',                       'folder',   0o777,   SELF, GROUP,     'writable',        'another-owner'],
  ['a folder of root',                                     'folder',   0o755,   0,    0,         undefined],
  ['the root of a volume with fsGroup',                    'folder',   0o2770,  0,    FS_GROUP,  'writable',        'writable'],
  ['the root of a volume with fsGroup that all can list',  'folder',   0o2775,  0,    FS_GROUP,  'writable',        'writable'],
  ['the root of an emptyDir',                              'folder',   0o777,   0,    0,         'writable',        'writable'],
  ['the root of an emptyDir in memory',                    'folder',   0o1777,  0,    0,         'writable',        'writable'],
  ['the root of an emptyDir with fsGroup',                 'folder',   0o3777,  0,    FS_GROUP,  'writable',        'writable'],
  ['a folder of another user',                             'folder',   0o700,   1001, GROUP,     'another-owner',   'another-owner'],
  ['a key of the process',                                 'secret',   0o600,   SELF, GROUP,     undefined,         'another-owner'],
  ['a read-only key of the process',                       'secret',   0o400,   SELF, GROUP,     undefined,         'another-owner'],
  ['a key of the process that its group can read',         'secret',   0o640,   SELF, GROUP,     'accessible',      'another-owner'],
  ['a key of the process that fsGroup can read',           'secret',   0o440,   SELF, FS_GROUP,  'accessible',      'another-owner'],
  ['a key after fsGroup was applied to it',                'secret',   0o660,   SELF, FS_GROUP,  'accessible',      'another-owner'],
  ['a mounted key that fsGroup can read',                  'secret',   0o440,   0,    FS_GROUP,  undefined,         'accessible'],
  ['a key of root that its group can read',                'secret',   0o640,   0,    GROUP,     undefined,         'accessible'],
  ['a key of root that another group can read',            'secret',   0o640,   0,    3000,      'accessible',      'accessible'],
  ['a key of root that its group can write to',            'secret',   0o660,   0,    FS_GROUP,  'accessible',      'accessible'],
  ['a mounted key that all can read',                      'secret',   0o444,   0,    FS_GROUP,  'accessible',      'accessible'],
  ['a mounted key with the default mode',                  'secret',   0o644,   0,    0,         'accessible',      'accessible'],
  ['a mounted key that only root can read',                'secret',   0o400,   0,    0,         undefined],
  ['a key of another user',                                'secret',   0o600,   1001, GROUP,     'another-owner',   'another-owner'],
  ['a database of the process',                            'database', 0o600,   SELF, GROUP,     undefined,         'another-owner'],
  ['a database that fsGroup can read',                     'database', 0o660,   SELF, FS_GROUP,  'accessible',      'another-owner'],
  ['a database of root that its group can read',           'database', 0o640,   0,    FS_GROUP,  'accessible',      'accessible'],
  ['a database that all can read',                         'database', 0o644,   SELF, GROUP,     'accessible',      'another-owner'],
  ['a TLS key that a group can read',                      'tls-key',  0o640,   0,    3000,      undefined],
  ['a TLS key of the process that its group can read',     'tls-key',  0o640,   SELF, GROUP,     undefined,         'another-owner'],
  ['a TLS key that its group can write to',                'tls-key',  0o660,   0,    GROUP,     'accessible',      'accessible'],
  ['a TLS key that all can read',                          'tls-key',  0o644,   0,    0,         'accessible',      'accessible'],
  ['a TLS key of another user',                            'tls-key',  0o640,   1001, GROUP,     'another-owner',   'another-owner'],
];
for (const [title, kind, mode, uid, gid, exposure, asRoot] of CASES) {
  test(`exposureOf: ${title} (${mode.toString(8)}) is ${exposure ?? 'accepted'}`, () => {
    // The bits of the file's type are part of the mode.
    const stats = { uid, gid, mode: mode | (kind === 'folder' ? 0o040000 : 0o100000) };
    assert.equal(exposureOf(stats, kind, user), exposure);
    assert.equal(exposureOf(stats, kind, root), asRoot);
  });
}
