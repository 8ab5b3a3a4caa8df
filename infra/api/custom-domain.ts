import { DomainName, EndpointType, type RestApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigateway';
import { ARecord, type IHostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { ApiGatewayDomain } from 'aws-cdk-lib/aws-route53-targets';
import { Construct } from 'constructs';
import type { CustomDomain as CustomDomainOptions } from '../options/props/common-props.js';

export interface CustomDomainProps {
  readonly api: RestApi;
  readonly domain: CustomDomainOptions;
}

/** An address of one's own before the gateway, which keeps its other one. */
export class CustomDomain extends Construct {
  /** Without a slash at its end. */
  readonly url: string;
  /** What the domain's record must lead to. */
  readonly target: string;

  constructor(scope: Construct, id: string, { api, domain }: CustomDomainProps) {
    super(scope, id);
    const { domainName, certificate, basePath, hostedZone } = domain;
    const name = new DomainName(this, 'Name', {
      domainName,
      certificate,
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    name.addBasePathMapping(api, { stage: api.deploymentStage, ...(basePath !== undefined && { basePath }) });
    if (hostedZone) this.#addRecord(name, domainName, hostedZone);
    this.target = name.domainNameAliasDomainName;
    this.url = `https://${domainName}${basePath === undefined ? '' : `/${basePath}`}`;
  }

  #addRecord(name: DomainName, recordName: string, zone: IHostedZone): void {
    new ARecord(this, 'Record', {
      zone,
      // With its dot: whole, whatever the zone is called.
      recordName: `${recordName}.`,
      target: RecordTarget.fromAlias(new ApiGatewayDomain(name)),
    });
  }
}
