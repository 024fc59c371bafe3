// The CustomResourceDefinitions of the Gateway API: files of this module, nothing is compiled.
module hdss7/lab/gateway-api

go 1.25

require sigs.k8s.io/gateway-api v1.6.3
