"""What ministack 1.5.33 lacks for this stack, or does otherwise than AWS, and why each piece is here.

The order counts where two pieces change the same place: the later one is asked first.
"""

import functions
import gateway
import instances
import permissions
import provisioning
import registry
import sagemaker
import scaling

PIECES = [
    (sagemaker.install, "no inference components: models, configurations, endpoints and components are containers here"),
    (scaling.install, "no Application Auto Scaling of SageMaker, and no alarms on metric math"),
    (instances.install, "no AWS::EC2::Instance, and its instances are words: nothing runs on them, no signal is waited for"),
    (provisioning.keep_the_loop_free, "components and instances call the emulator's own S3 and CloudFormation while they are made"),
    (provisioning.check_all_properties, "a property that AWS does not know is ignored, CloudFormation refuses it"),
    (provisioning.order_unkindly, "resources are made one by one in an order that hides a missing dependency"),
    (provisioning.end_silent_custom_resources, "a custom resource that says nothing is waited for for an hour, as on AWS"),
    (gateway.take_keys_from_the_authorizer, "apiKeySource AUTHORIZER is unknown"),
    (gateway.complete_the_event, "the event has neither the domain's name nor the key's id"),
    (gateway.match_media_types, "Accept with several types, and the binary type */*, are matched otherwise"),
    (gateway.name_headers_once, "a content type of a gateway response comes beside the standard one"),
    (gateway.refuse_malformed_answers, "an answer of a function without a status is passed on as 200"),
    (gateway.ask_the_functions_policy, "functions are called whatever their own policy says"),
    (gateway.serve_what_was_deployed, "a stage serves methods that its deployment does not have"),
    (functions.check_event_sources, "an event source is made although the queue or the role would be refused"),
    (functions.give_functions_this_network, "webhooks go to public addresses only, and there are none here"),
    (functions.let_calls_end, "a function whose settings change is killed in the middle of a call"),
    (functions.keep_what_functions_say, "what functions say is in the emulator's memory only"),
    (functions.hurry_queues, "20 s until a message is received again are 20 s"),
    (registry.know_which_images_there_are, "an image that was never pushed is found, and none can be scanned"),
    (permissions.note_refusals, "a refusal is told to the caller only"),
    (permissions.name_resources, "ecr:DescribeRepositories is checked against no repository, a signal against no stack"),
    (permissions.name_policies, "a condition on the policy that a role is given knows no policy"),
    (permissions.count_loopback_as_tls, "the policies ask for TLS, this is plain HTTP on loopback"),
]
