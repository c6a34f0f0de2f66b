// Keys and tokens for tests, made once by PyJWT and Python's cryptography; the private halves are
// gone, but for one that stands for a private key in the wrong place. The claims of all tokens:
//   {"sub": "anna", "iss": "https://id.example", "aud": ["broker", "web"], "exp": 4102444800,
//    "nbf": 1700000000, "iat": 1700000000, "groups": ["staff", "ops"], "acl": [{"permission":
//    "allow", "action": "publish", "topic": "sensors/anna/#"}]}
#pragma once

#include <string_view>

namespace linnet::auth::samples {

inline constexpr std::string_view kSecret =
    "a shared secret of more than 32 bytes, for tests alone";

inline constexpr std::string_view kHs256 =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.IRdCa_6IWk3fPEO4CO6"
    "HN1vW6qJQ7D7mrRF1yeFCSxo";

inline constexpr std::string_view kRs256 =
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.LsYzj600kg8xmSL_y66"
    "ClAAyx_DNrA5MM3ynkYl51i6bBEG9YdyYE528cQ1H0Ti93PXNs6pfo1BjTFzxnJ1sZ5PfRZFOkZhbsF1vDFdsQ"
    "XMBBxEhjFIXaHRJKp3pF6bQ-dF_WtDlN2r9kQwfj5TxNNtfbgXzm1s0MoiRi_RrhmU2fyA3gq7nxILgssdLJj1"
    "SSYbdJkCqQRcgqyq7dadFl4XPIDwmHvPIeO8nLKGH2Dfipl6YuCucA05yMRLyTvThV5kt8VFdkx0nH3-rQByJZ"
    "H-Xe5el3ABAtFKOQYQjc0dmXsmbh8x8dPejRvYiqKN_a9aPa5YjGBjSkrd6nThXEA";

inline constexpr std::string_view kRs256Kid =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIxIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cH"
    "M6Ly9pZC5leGFtcGxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcw"
    "MDAwMDAwMCwiaWF0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaX"
    "NzaW9uIjoiYWxsb3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.EZ2B"
    "s76iVar-uceZNVehL-_vlf3OZApayldqaj8pfRPYwPU5k0S84WEqyjCZyGQlNEIKo3RN89tFON9_Oau1QwazS2"
    "1E_QybT2DvCQFaFTRMMR7niodkLddGSZeXpSdcIr2Bvcl2m59NBvH4CF9TqjpIajEzn9P6G6WiEaIC3Tej5lIS"
    "rYS2KsFeo4oSmo-2LIbRi2moVxVABNxPvu0J8amyHv6yHyu7v2HugY3OtBaJv3bkr-vxXQUUVixq5FtIenZt-7"
    "3yJ19XwhXrQSbSWA8PzbMZe_CVm5Dcv89T4ZOJ5E_nldAiV8UlRYqRBotxk3_eGVCSxRLjR-Uotx86aA";

inline constexpr std::string_view kRs256OtherKid =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6InIyIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cH"
    "M6Ly9pZC5leGFtcGxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcw"
    "MDAwMDAwMCwiaWF0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaX"
    "NzaW9uIjoiYWxsb3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.ZJ83"
    "JGv5ms4RhXy0K5uJw9SgHb_eWS-Typr1mQkaIQ6SRlRdajPP1k9GSORlQk1paokCuBRwnhHPnm0JD8w9a616k5"
    "SdoKhkeFArv-ItbCrAEOri6cUrI5596XOeKBigWi_4xnHvZJJ0EAktBom1_I1WfJosAcUd6gTDEJZc39xv5BEN"
    "L1h0G2IKDBLJRkQ37Ks4fzw63MxP_VK1DmW_enu8GRwlGYpufw5twV8o9lv5unjXCjrZouPxVAveINGGTl3YCv"
    "RnT80HUJkIVs5VE2_h4jJxU7pBnyNs4J0BdbsOLCBvdnnFST-7GrFfm55Pu0ZElz_yW9b5Zwe_81Kkyg";

inline constexpr std::string_view kEs256 =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.GjukvvQ7AQOiQ5VLuN-"
    "N50bytNyFtFN-KjWaLdecjxoUAY8dEazm0Rt7U7AR-C0Ha1ZIxbEKaNUJHkDdYeQ4uQ";

inline constexpr std::string_view kEs256SmallR =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.ABpsrZHaK6NTZOUPJqw"
    "bRQxRngaRCtoOGg_HjaB3JGUd-tjZq7oBo4W7IfYfHrRnkQfsSQHV84SRxnb3RMW7mQ";

inline constexpr std::string_view kEs256SmallS =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.fCBmPk9MqYvAj69UqN8"
    "o83wv9fU4esXt-ne7g6svdvkAcGVtRNRzmnfh3o7C_b1dpts0TpgtGSr0P7dOxxzL1A";

inline constexpr std::string_view kEdDsa =
    "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.ZlL3MRTB1AZCehW1AX9"
    "7lpwp3KT1Pxy2SUiIdvTjQmDd4NGqBI4EGbZFcJv6cIVthyXJbspvU_P8Oere09ooDw";

inline constexpr std::string_view kForgedByRsaPem =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtc"
    "GxlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF"
    "0IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb"
    "3ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.blZBC-qEF1TMLK6Qw47"
    "CwfkcPpJPz2DaeGNuDxWEuS8";

inline constexpr std::string_view kUnsigned =
    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhbm5hIiwiaXNzIjoiaHR0cHM6Ly9pZC5leGFtcG"
    "xlIiwiYXVkIjpbImJyb2tlciIsIndlYiJdLCJleHAiOjQxMDI0NDQ4MDAsIm5iZiI6MTcwMDAwMDAwMCwiaWF0"
    "IjoxNzAwMDAwMDAwLCJncm91cHMiOlsic3RhZmYiLCJvcHMiXSwiYWNsIjpbeyJwZXJtaXNzaW9uIjoiYWxsb3"
    "ciLCJhY3Rpb24iOiJwdWJsaXNoIiwidG9waWMiOiJzZW5zb3JzL2FubmEvIyJ9XX0.";

inline constexpr std::string_view kRsaPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAp0iln2iwA1s4JUlOATVb\n"
    "TsCeQr5TvoEP/B36fg7ZdWrX+JoBY8fQFgYMHrpBKoWXXd1tGcxf+mwahRjx0Hwp\n"
    "0c34tOpqu6ltAUbOa6lfeiF7gAcWQ7/4X1YmV8GyuEczLMzIdDVCdqq2oQyH92Mj\n"
    "Dgxt52hRzzp7lz8kFkK/x1kBNEAqBy9+CvJ2/FYBJqoLTuOH++CctmstxhFxdqFo\n"
    "FuG7BZOUSrB90WUHhdj598yc1SWhXupnInb4z7i88pMlmBKkLoAMdZhfEwgVqx8o\n"
    "JfRPwd9NPjvYWsGEB5oWhWEzZ44vlOdSrP+YPwKZss/2pqYS9l999uyxW5tIYo+4\n"
    "pQIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kEcPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAmUzxhV6F/l7dEvqU4Ub+PqLtWNI\n"
    "j8aXmnHdcb7WnYFgV8Yr4Wunrpg1O8LQTf2WKzgOXak2si+fa5hLqrGMbg==\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kEdPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAH0OaUAgxV4vmYa6dz7OMbzeeqrnjDfDyAUi1bW9kf6E=\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kRsaPkcs1Pem =
    "-----BEGIN RSA PUBLIC KEY-----\n"
    "MIIBCgKCAQEAp0iln2iwA1s4JUlOATVbTsCeQr5TvoEP/B36fg7ZdWrX+JoBY8fQ\n"
    "FgYMHrpBKoWXXd1tGcxf+mwahRjx0Hwp0c34tOpqu6ltAUbOa6lfeiF7gAcWQ7/4\n"
    "X1YmV8GyuEczLMzIdDVCdqq2oQyH92MjDgxt52hRzzp7lz8kFkK/x1kBNEAqBy9+\n"
    "CvJ2/FYBJqoLTuOH++CctmstxhFxdqFoFuG7BZOUSrB90WUHhdj598yc1SWhXupn\n"
    "Inb4z7i88pMlmBKkLoAMdZhfEwgVqx8oJfRPwd9NPjvYWsGEB5oWhWEzZ44vlOdS\n"
    "rP+YPwKZss/2pqYS9l999uyxW5tIYo+4pQIDAQAB\n"
    "-----END RSA PUBLIC KEY-----\n";

inline constexpr std::string_view kSshKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9DmlAIMVeL5mGunc+zjG83nqq54w3w8gFItW1vZH+h"
    " anna@example\n";

inline constexpr std::string_view kRsa1024Pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC9Bx16wiXCoNa8HUmuT5wOcZSP\n"
    "Pc6UwwHxKINFqCnj1eBkXkiTegpt9vswmCJS1+LhqSsS2RH6Vv85uaVOX6cg1xXF\n"
    "GZJsA8pNk965qL9m3SFH3BmESZIfB4CbrfOSAKOhs9pgzF0GLJB5oCfbqIAsaLRh\n"
    "4dRZryPxLtqZLnanXwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kP384Pem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE6uNZEckSxpi1kt5/8xKUlcBjjGo8UMNB\n"
    "LyrI8qQDg03+U5XrYwJB19FBaHfNqKq0zFj4v2Ux2O4Flas/ksLK1boMEr3BGO03\n"
    "avO8IaqiOg8h3UswBArDqN3T+wN52Ezw\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view kPrivatePem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRbDarBoaTJGn4T8A\n"
    "3P33YI9OAaVL2/cEaA8KnJWQCFahRANCAAQCZTPGFXoX+Xt0S+pThRv4+ou1Y0iP\n"
    "xpeacd1xvtadgWBXxivha6eumDU7wtBN/ZYrOA5dqTayL59rmEuqsYxu\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view kPrivateJwk =
    "{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": \"AmUzxhV6F_l7dEvqU4Ub-PqLtWNIj8aXmnHdcb7WnYE\""
    ", \"y\": \"YFfGK-Frp66YNTvC0E39lis4Dl2pNrIvn2uYS6qxjG4\", \"d\": \"RbDarBoaTJGn4T8A3P33"
    "YI9OAaVL2_cEaA8KnJWQCFY\"}";

inline constexpr std::string_view kJwkSet =
    "{\n"
    " \"keys\": [\n"
    "  {\n"
    "   \"kty\": \"RSA\",\n"
    "   \"kid\": \"r1\",\n"
    "   \"use\": \"sig\",\n"
    "   \"alg\": \"RS256\",\n"
    "   \"n\": \"p0iln2iwA1s4JUlOATVbTsCeQr5TvoEP_B36fg7ZdWrX-JoBY8fQFgYMHrpBKoWXXd1tGcx"
    "f-mwahRjx0Hwp0c34tOpqu6ltAUbOa6lfeiF7gAcWQ7_4X1YmV8GyuEczLMzIdDVCdqq2oQyH92MjDgx"
    "t52hRzzp7lz8kFkK_x1kBNEAqBy9-CvJ2_FYBJqoLTuOH--CctmstxhFxdqFoFuG7BZOUSrB90WUHhdj"
    "598yc1SWhXupnInb4z7i88pMlmBKkLoAMdZhfEwgVqx8oJfRPwd9NPjvYWsGEB5oWhWEzZ44vlOdSrP-"
    "YPwKZss_2pqYS9l999uyxW5tIYo-4pQ\",\n"
    "   \"e\": \"AQAB\",\n"
    "   \"x5t\": \"ignored\"\n"
    "  },\n"
    "  {\n"
    "   \"kty\": \"RSA\",\n"
    "   \"kid\": \"enc\",\n"
    "   \"use\": \"enc\",\n"
    "   \"alg\": \"RSA-OAEP\",\n"
    "   \"n\": \"p0iln2iwA1s4JUlOATVbTsCeQr5TvoEP_B36fg7ZdWrX-JoBY8fQFgYMHrpBKoWXXd1tGcx"
    "f-mwahRjx0Hwp0c34tOpqu6ltAUbOa6lfeiF7gAcWQ7_4X1YmV8GyuEczLMzIdDVCdqq2oQyH92MjDgx"
    "t52hRzzp7lz8kFkK_x1kBNEAqBy9-CvJ2_FYBJqoLTuOH--CctmstxhFxdqFoFuG7BZOUSrB90WUHhdj"
    "598yc1SWhXupnInb4z7i88pMlmBKkLoAMdZhfEwgVqx8oJfRPwd9NPjvYWsGEB5oWhWEzZ44vlOdSrP-"
    "YPwKZss_2pqYS9l999uyxW5tIYo-4pQ\",\n"
    "   \"e\": \"AQAB\"\n"
    "  },\n"
    "  {\n"
    "   \"kty\": \"EC\",\n"
    "   \"kid\": \"e1\",\n"
    "   \"crv\": \"P-256\",\n"
    "   \"x\": \"AmUzxhV6F_l7dEvqU4Ub-PqLtWNIj8aXmnHdcb7WnYE\",\n"
    "   \"y\": \"YFfGK-Frp66YNTvC0E39lis4Dl2pNrIvn2uYS6qxjG4\"\n"
    "  },\n"
    "  {\n"
    "   \"kty\": \"OKP\",\n"
    "   \"kid\": \"d1\",\n"
    "   \"crv\": \"Ed25519\",\n"
    "   \"x\": \"H0OaUAgxV4vmYa6dz7OMbzeeqrnjDfDyAUi1bW9kf6E\",\n"
    "   \"key_ops\": [\n"
    "    \"verify\"\n"
    "   ]\n"
    "  },\n"
    "  {\n"
    "   \"kty\": \"oct\",\n"
    "   \"kid\": \"s1\",\n"
    "   \"k\": \"YSBzaGFyZWQgc2VjcmV0IG9mIG1vcmUgdGhhbiAzMiBieXRlcywgZm9yIHRlc3RzIGFsb25"
    "l\"\n"
    "  },\n"
    "  {\n"
    "   \"kty\": \"new\",\n"
    "   \"kid\": \"n1\"\n"
    "  }\n"
    " ]\n"
    "}";

}  // namespace linnet::auth::samples
