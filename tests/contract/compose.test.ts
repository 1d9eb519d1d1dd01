import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import { z } from 'zod';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';

const read = (...names: string[]): string => readFileSync(join(REPOSITORY_ROOT, ...names), 'utf8');

/** As much of a compose file as these tests look at, strict about what they rely on. */
const Compose = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      profiles: z.array(z.string()),
      image: z.string(),
      restart: z.string(),
      ports: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
      environment: z.record(z.string(), z.string()).default({}),
      healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
      entrypoint: z.array(z.string()).optional(),
      command: z.array(z.string()).optional(),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
});
const raw: unknown = parse(read('docker-compose.temporal.yml'), { merge: true });
const file = Compose.parse(raw);
const services = Object.entries(file.services);
const isOneShot = (service: { restart: string }): boolean => service.restart.startsWith('on-failure');

/** The schema names its dialect with https, which Ajv knows under http only. */
const compileSchema = (): ValidateFunction => {
  const schema = z
    .record(z.string(), z.unknown())
    .parse(JSON.parse(read('tests', 'fixtures', 'compose', 'compose-spec.schema.json')));
  const { $schema: _dialect, ...rest } = schema;
  return new Ajv({ strict: false, validateFormats: false }).compile(rest);
};

describe('docker-compose.temporal.yml', () => {
  it('is valid by the Compose specification', () => {
    const validate = compileSchema();
    expect(validate(raw)).toBe(true);
    expect(validate.errors).toBeNull();
    expect(validate({ services: { one: { imagine: 'alpine' } } })).toBe(false);
  });

  it('has the two profiles, each whole by itself', () => {
    expect([...new Set(services.flatMap(([, service]) => service.profiles))].sort()).toEqual(['dev', 'postgres']);
    for (const [name, service] of services)
      for (const needed of Object.keys(service.depends_on))
        expect([name, file.services[needed]?.profiles]).toEqual([name, service.profiles]);
  });

  it('offers every port to this machine alone, and no port twice in a profile', () => {
    for (const profile of ['dev', 'postgres']) {
      const ports = services.flatMap(([, service]) => (service.profiles.includes(profile) ? service.ports : []));
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
      const outside = ports.map((port) => port.split(':')[1]);
      expect(outside).toEqual([...new Set(outside)]);
      expect(outside).toEqual(expect.arrayContaining(['7233', '8233']));
    }
  });

  it('pins every image, and the server to the version of the CLI', () => {
    const images = Object.fromEntries(services.map(([name, service]) => [name, service.image]));
    expect(images).toEqual({
      'temporal-dev': 'temporalio/temporal:1.9.1',
      'temporal-dev-namespace': 'temporalio/admin-tools:1.32.0',
      postgresql: 'postgres:16.15',
      'temporal-schema': 'temporalio/admin-tools:1.32.0',
      temporal: 'temporalio/server:1.32.0',
      'temporal-namespace': 'temporalio/admin-tools:1.32.0',
      'temporal-ui': 'temporalio/ui:2.54.1',
    });
    expect(read('setup', 'places.mjs')).toContain("TEMPORAL_VERSION = '1.9.1'");
  });

  it('keeps its data in named volumes and mounts only files that are there', () => {
    const mounts = services.flatMap(([, service]) => service.volumes);
    const named = mounts.filter((mount) => !mount.startsWith('.')).map((mount) => mount.split(':')[0]);
    expect(named.sort()).toEqual(Object.keys(file.volumes).sort());
    for (const mount of mounts.filter((one) => one.startsWith('.'))) {
      const [here = '', there, mode] = mount.split(':');
      expect(existsSync(join(REPOSITORY_ROOT, here))).toBe(true);
      expect([there, mode]).toEqual(['/ops', 'ro']);
    }
  });

  it('starts in order: healthy before used, one-shot services retried and never restarted after success', () => {
    for (const [name, service] of services) {
      for (const [needed, { condition }] of Object.entries(service.depends_on)) {
        const other = file.services[needed];
        expect([name, needed, condition]).toEqual([
          name,
          needed,
          other && isOneShot(other) ? 'service_completed_successfully' : 'service_healthy',
        ]);
        if (condition === 'service_healthy') expect([needed, other?.healthcheck !== undefined]).toEqual([needed, true]);
      }
      expect([name, service.restart]).toEqual([name, isOneShot(service) ? 'on-failure:5' : 'unless-stopped']);
      if (isOneShot(service))
        expect(existsSync(join(REPOSITORY_ROOT, 'ops/temporal', service.entrypoint?.[1]?.slice(5) ?? ''))).toBe(true);
    }
    expect(services.filter(([, service]) => isOneShot(service)).map(([name]) => name)).toEqual([
      'temporal-dev-namespace',
      'temporal-schema',
      'temporal-namespace',
    ]);
  });

  it('gives the server what its first start fixes for ever, and a dynamic configuration that exists', () => {
    const server = file.services['temporal'];
    expect(server?.environment).toMatchObject({ DB: 'postgres12_pgx', NUM_HISTORY_SHARDS: '64' });
    const dynamic = server?.environment['DYNAMIC_CONFIG_FILE_PATH'] ?? '';
    const values: unknown = parse(read('ops/temporal', dynamic.replace('/ops/', '')));
    expect(values).toEqual({ 'history.transferProcessorMaxPollRPS': [{ value: 1000 }] });
    expect(file.services['temporal-dev']?.command).toEqual(
      expect.arrayContaining(['--dynamic-config-value=history.transferProcessorMaxPollRPS=1000']),
    );
  });

  it('registers the search attributes of the contracts', () => {
    const line = /^attributes='(.*)'$/m.exec(read('ops', 'temporal', 'prepare-namespace.sh'))?.[1] ?? '';
    const types: Record<string, string> = { KEYWORD: 'Keyword', DOUBLE: 'Double' };
    expect(line.split(' ')).toEqual(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => `${name}:${types[type]}`));
  });
});
