import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../infra/api/api-routes.js';
import { readConfig } from '../../infra/options/config.js';
import { problemSchema } from '../../lib/schemas/problem.js';
import { at, synthService } from '../support/infra/synth-service.js';

const ORIGIN = 'https://app.example.com';
const closed = synthService();
const one = synthService({ corsOrigins: ORIGIN });
const two = synthService({ corsOrigins: `${ORIGIN}, http://localhost:5173` });
type Synth = typeof one;

const methods = (service: Synth) =>
  service.all('AWS::ApiGateway::Method').map(([, { Properties }]) => Properties);
const preflights = (service: Synth) => methods(service).filter(({ HttpMethod }) => HttpMethod === 'OPTIONS');
const refusals = (service: Synth) =>
  service.all('AWS::ApiGateway::GatewayResponse').map(([, { Properties }]) => Properties);
const origins = (service: Synth) =>
  new Set(
    refusals(service).map(
      ({ ResponseParameters }) =>
        (ResponseParameters as Record<string, string>)['gatewayresponse.header.access-control-allow-origin'],
    ),
  );
const setting = (service: Synth) =>
  at<Record<string, unknown>>(
    service.properties('AWS::Lambda::Function', 'Api/Handler'),
    'Environment',
    'Variables',
  )['CORS_ORIGINS'];

describe('with an origin', () => {
  test('every path has a preflight that needs no key, and that the function answers', () => {
    const resources = new Set(methods(one).map(({ ResourceId }) => JSON.stringify(ResourceId)));
    const asked = preflights(one);
    expect(new Set(asked.map(({ ResourceId }) => JSON.stringify(ResourceId)))).toEqual(resources);
    expect(asked).toHaveLength(new Set(ROUTES.map(({ path }) => path)).size);
    for (const method of asked) {
      expect(method).toMatchObject({ AuthorizationType: 'NONE', Integration: { Type: 'AWS_PROXY' } });
      expect(method['ApiKeyRequired']).not.toBe(true);
    }
  });

  test('all others need what they did before', () => {
    const others = methods(one).filter(({ HttpMethod }) => HttpMethod !== 'OPTIONS');
    expect(others).toHaveLength(methods(closed).length);
    expect(others.filter(({ ApiKeyRequired }) => ApiKeyRequired).length).toBe(
      ROUTES.filter(({ key }) => key).length,
    );
  });

  test('the function knows it', () => {
    expect(setting(one)).toBe(ORIGIN);
    expect(setting(two)).toBe(`${ORIGIN},http://localhost:5173`);
  });

  test('its pages may read pictures by their addresses', () => {
    const rules = (service: Synth) =>
      service.properties('AWS::S3::Bucket', 'Results/Objects/Bucket')['CorsConfiguration'];
    expect(rules(one)).toEqual({ CorsRules: [{ AllowedMethods: ['GET'], AllowedOrigins: [ORIGIN] }] });
    expect(rules(closed)).toBeUndefined();
  });

  test('what the gateway refuses itself may be read, too, with what it says of a retry', () => {
    expect(origins(one)).toEqual(new Set([`'${ORIGIN}'`]));
    expect(origins(two)).toEqual(new Set(["'*'"]));
    for (const { ResponseParameters } of refusals(one))
      expect(ResponseParameters).toHaveProperty(
        ['gatewayresponse.header.access-control-expose-headers'],
        "'retry-after'",
      );
  });
});

test('without one there is nothing of it', () => {
  expect(preflights(closed)).toEqual([]);
  expect(origins(closed)).toEqual(new Set([undefined]));
  expect(setting(closed)).toBeUndefined();
});

test('any origin is a warning of the synthesis', () => {
  const warnings = (service: Synth) =>
    service.stack.node
      .findAll()
      .flatMap(({ node }) => node.metadata)
      .filter(({ type }) => type === 'aws:cdk:warning')
      .map(({ data }) => String(data));
  expect(warnings(one).join()).not.toContain('corsOrigins');
  expect(warnings(synthService({ corsOrigins: '*' })).join()).toContain('corsOrigins is *: any page');
});

test.each([
  ['app.example.com', /^ {2}corsOrigins: app.example.com is no origin: it must have a scheme/m],
  [`${ORIGIN}/`, /^ {2}corsOrigins: .* must end before its path, as https:\/\/app\.example\.com$/m],
  ['', /corsOrigins: nothing is no origin/],
])('%j is refused', (corsOrigins, said) => {
  expect(() => readConfig({ corsOrigins })).toThrow(said);
});

describe('what the gateway says of a request', () => {
  const problemOf = (type: string) => {
    const refusal = refusals(closed).find(({ ResponseType }) => ResponseType === type);
    return problemSchema.parse(JSON.parse(at<string>(refusal, 'ResponseTemplates', 'application/json')));
  };

  test('a path that is not there is told of those that are', () => {
    for (const type of ['MISSING_AUTHENTICATION_TOKEN', 'RESOURCE_NOT_FOUND'])
      expect(problemOf(type).detail).toMatch(/POST \/predict .*GET \/docs /);
  });

  test('every 400 says what is wrong', () => {
    for (const { ResponseType, StatusCode } of refusals(closed))
      if (StatusCode === '400') expect(problemOf(String(ResponseType)).errors).toHaveLength(1);
  });

  test("why an Authorization is none is the authorizer's to say", () => {
    expect(problemOf('ACCESS_DENIED')).toMatchObject({ status: 401, detail: '$context.authorizer.reason' });
  });
});
