/** What draws: an endpoint of SageMaker, or instances of one's own that are kept stopped. */
export const BACKENDS = ['sagemaker', 'ec2'] as const;

export type BackendName = (typeof BACKENDS)[number];
