/** The folder of a report: new files that only their owner can read, and the manifest with their hashes. */
import { createHash, hash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** File of a report, as its manifest names it. */
export interface ReportFile {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
}

/** File with one JSON document in each line. */
export interface LineFile {
  readonly name: string;
  add(item: object): void;
  /** Returns the number of lines. */
  count(): number;
  close(): void;
}

export interface ReportFolder {
  /** Creates a file with lines. Close it before `end`. */
  lines(name: string): LineFile;
  /** Writes a file. */
  write(name: string, content: string): void;
  /** Returns the files so far, in the order of their names. */
  files(): readonly ReportFile[];
}

/** Name of the file that lists the others. */
export const MANIFEST = 'manifest.json';
/** Number of characters after which lines are written. */
const BUFFER = 65_536;

/**
 * Creates the folder of a report.
 *
 * Writes: the folder with mode 0700, and files with mode 0600.
 * @throws Error  the folder exists, or its parent does not
 */
export function createReportFolder(path: string): ReportFolder {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new Error(`'${path}' exists; a report is written to a new folder`);
    if (code === 'ENOENT') throw new Error(`the folder '${dirname(path)}' does not exist; create it first`);
    throw error;
  }
  const files: ReportFile[] = [];

  function open(name: string) {
    const fd = openSync(join(path, name), 'wx', 0o600);
    const digest = createHash('sha256');
    let bytes = 0;
    return {
      write(content: string) {
        const buffer = Buffer.from(content);
        digest.update(buffer);
        bytes += buffer.length;
        for (let at = 0; at < buffer.length; ) at += writeSync(fd, buffer, at);
      },
      close() {
        fsyncSync(fd);
        closeSync(fd);
        files.push({ name, bytes, sha256: digest.digest('hex') });
      },
    };
  }

  return {
    lines(name) {
      const file = open(name);
      let rest = '';
      let count = 0;
      return {
        name,
        add(item) {
          rest += `${JSON.stringify(item)}\n`;
          count++;
          if (rest.length < BUFFER) return;
          file.write(rest);
          rest = '';
        },
        count: () => count,
        close() {
          file.write(rest);
          file.close();
        },
      };
    },
    write(name, content) {
      const file = open(name);
      file.write(content);
      file.close();
    },
    files: () => files.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** Writes the manifest of a report. Returns its SHA-256, which the operator can keep in another place. */
export function writeManifest(folder: ReportFolder, generatedAt: string): string {
  const text = `${JSON.stringify({ format: 'belfry-compliance-manifest-1', generatedAt, files: folder.files() }, null, 2)}\n`;
  folder.write(MANIFEST, text);
  return hash('sha256', text, 'hex');
}
