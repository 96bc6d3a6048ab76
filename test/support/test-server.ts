/** Temporal's test server, which skips time: months pass in milliseconds. One per test file; no two tests at once. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { cacheFolder } from '../../start/cache.ts';
import { messageOf } from '../../start/failure.ts';
import { lockFolder } from '../../start/lock.ts';

const VERSION = '1.32.1';
const DOWNLOAD = 'https://temporal.download/temporal-test-server/default?arch=amd64&platform=linux';
const PROBE_MS = 5_000;
const MAVEN_MS = 10 * 60_000;
const STARTS = 6;

/**
 * Starts a test server of its own; end it with `teardown()`.
 * The server comes from our cache, from the SDK's download, or from Maven, where Java runs it.
 */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  const cache = cacheFolder(process.env);
  const script = join(cache, `temporal-test-server-${VERSION}`, 'run.sh');
  if (!existsSync(script)) {
    const downloaded = await tryDownload(cache);
    if (downloaded) return downloaded;
    await installFromMaven(cache, script);
  }
  return startByJava(script);
}

/** The SDK gives it five seconds, which are few for a Java start on a busy machine. */
async function startByJava(script: string, triesLeft = STARTS - 1): Promise<TestWorkflowEnvironment> {
  try {
    return await TestWorkflowEnvironment.createTimeSkipping({
      server: { executable: { type: 'existing-path', path: script } },
    });
  } catch (error) {
    if (triesLeft === 0) throw error;
    return startByJava(script, triesLeft - 1);
  }
}

/** The SDK's own download has no time-out, so we see first whether anybody answers there. */
async function tryDownload(downloadDir: string): Promise<TestWorkflowEnvironment | null> {
  try {
    const answer = await fetch(DOWNLOAD, { signal: AbortSignal.timeout(PROBE_MS) });
    if (!answer.ok) return null;
    const executable = { type: 'cached-download', downloadDir } as const;
    return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  } catch {
    return null;
  }
}

/** Test files run side by side: the first one installs, the others wait. */
async function installFromMaven(cache: string, script: string): Promise<void> {
  const unlock = await lockFolder(cache, { what: 'The cache', waitMs: MAVEN_MS, progress: console.log });
  try {
    if (!existsSync(script)) await copyFromMaven(cache, script);
  } finally {
    unlock();
  }
}

async function copyFromMaven(cache: string, script: string): Promise<void> {
  const folder = await mkdtemp(join(cache, 'making-'));
  try {
    await writeFile(join(folder, 'pom.xml'), POM);
    await writeFile(join(folder, 'run.sh'), RUN, { mode: 0o755 });
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'lib')}`];
    await promisify(execFile)('mvn', ['-q', '-B', '-f', join(folder, 'pom.xml'), ...goal], { timeout: MAVEN_MS });
    await rename(folder, join(script, '..'));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new Error(
      `There is no time-skipping test server: the download can't be reached, and Maven: ${messageOf(error)}`,
    );
  }
}

/** A short start counts for more here than a fast run. */
const RUN = `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$(dirname "$0")/lib/*" io.temporal.testserver.TestServer "$@"
`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>durable-orders</groupId><artifactId>test-server</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>2.0.16</version></dependency>
  </dependencies>
</project>
`;
