/** Reads the metrics of a server, as Prometheus does. */

/** Values by the name of a series: `belfry_sockets{kind="http"}`. */
export type Series = ReadonlyMap<string, number>;

/** Reads the text format. Ignores comments. */
export function seriesOf(text: string): Series {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** Returns the series of a server now. The server computes them at most once a second. */
export async function readMetrics(url: string | undefined): Promise<Series> {
  const response = await fetch(url as string);
  if (!response.ok) throw new Error(`metrics: ${response.status}`);
  return seriesOf(await response.text());
}
