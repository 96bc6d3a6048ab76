/** Traces by OpenTelemetry, where its standard variables say where to send them; otherwise nothing of it is loaded. */
import { context, diag, DiagLogLevel, propagation, trace } from '@opentelemetry/api';
import { ConfigError, type Environment } from './config.ts';
import type { Log } from './log.ts';

/**
 * Takes traces from now on, in the whole process. OpenTelemetry's own packages read its variables.
 * @returns what sends the last spans and ends it
 * @throws ConfigError for a protocol that is not spoken here
 */
export async function startTracing(env: Environment, log: Log): Promise<() => Promise<void>> {
  if (!isWanted(env)) return async () => {};
  checkProtocol(env);
  const [{ BatchSpanProcessor, NodeTracerProvider }, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/resources'),
  ]);
  const say = (message: string) => log.warn({ detail: message }, 'traces can not be sent');
  diag.setLogger({ error: say, warn: say, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'durable-orders' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return async () => {
    await provider.shutdown().catch(() => {}); // A collector that is away is no reason not to stop.
    trace.disable();
    context.disable();
    propagation.disable();
    diag.disable();
  };
}

function isWanted(env: Environment): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return false;
  return Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
}

function checkProtocol(env: Environment): void {
  for (const variable of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    const protocol = env[variable];
    if (protocol && protocol !== 'http/protobuf')
      throw new ConfigError(
        `${variable} is "${protocol}": traces are sent as http/protobuf only (a collector's port 4318).`,
      );
  }
}
