//! How well credentials are told from what only looks like them, measured on a labelled list.
//!
//! Each line is a place, a name and a value. A `~` in a value is dropped when the list is read, so
//! that no token stands here as a scanner of repositories would look for it; `\n` is a line break.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::{judge, say, write};

/// What has to be found.
const SECRETS: &str = r##"
env       DB_PASSWORD              winter-plum-9
env       PGPASSWORD               kettledrum
env       MYSQL_ROOT_PASSWORD      Rosinenbrot!7
env       mysqlPassword            plum_tree_41
env       SMTP_PASS                hunter22
env       REDIS_PASSWORD           s3cr3t
env       RABBITMQ_DEFAULT_PASS    rabbits-run
env       KEYSTORE_PASSPHRASE      six-blue-kettles-sing
env       LDAP_BIND_PWD            Qr7;kettle
env       ADMIN_PASSWORD           password
env       VNC_PASSWORD             83120457
env       app.datasource.password  Zq8-wren-Field
env       API_KEY                  9fK2mQ7xLw84Rt
env       STRIPE_KEY               sk~_live_51HqLyjWDarjtT1zdp7dcQ8
env       X_API_TOKEN              0d5fb1c27a9e4b3386f0
env       AUTHTOKEN                tG7-kLq2-Zx91
env       GITHUB_TOKEN             gh~p_16C7e42F292c6912E7710c838347Ae178B4a
env       GH                       github~_pat_11ABCDEFG0Q7xLw84Rt9fK2mQ7
env       CI_JOB                   glpat~-Zx7Lq2kT9mWv4RbYc1Ns
env       SLACK                    xo~xb-2147483647-Qw3rTy7uIo
env       SLACK_HOOK               https://hooks.slack.com/ser~vices/T0AB12CD3/B0EF45GH6/a1B2c3D4e5F6g7H8i9J0
env       AWS_ACCESS_KEY_ID        AK~IAQX7ZLM2PRTWYV3K9
env       AWS_SECRET_ACCESS_KEY    wJ4+rXUt/nFEMI7K~MDENGbPxRfiCYzQLMPT9Kd2
env       GOOGLE                   AI~zaSyD3f9Qk1mZ7xLw84RtPq2Vb6Nc0Yh5Js8U
env       NPM                      np~m_Q7xLw84Rt9fK2mQ7xLw84Rt9fK2mQ7xLw84R
env       OPENAI                   s~k-proj-Q7xLw84Rt9fK2mQ7xLw84Rt9fK2m
env       HUGGINGFACE              h~f_QxLwRtKmZvBnYcJsUdPgEaHiTfOqWe
env       VAULT                    h~vs.CAESIQ7xLw84Rt9fK2mQ7xLw84Rt
env       SESSION                  e~yJhbGciOiJIUzI1NiJ9.e~yJzdWIiOiJvcmRlcnMifQ.Qw3rTy7uIoPaSdFgHjKl
env       SIGNING_KEY              b7e1Qz40pLmXw2Vt
env       ENCRYPTION_KEY           Z8xQ2mLp0RtVb6Nc9KdYh5Js
env       DJANGO_SECRET_KEY        x7!k$2-qlm@9vz)w3e(r8t
env       SECRET_KEY_BASE          4f6a1c09e7b2d85340cf96be17a2d3581b
env       JWT_SECRET               u8Fz2LqX0wPv
env       OAUTH_CLIENT_SECRET      GX-7kLm2QpZ9vRtW
env       SESSION_SECRET           9b1de7c4f0a8
env       COOKIE_SECRET            3q2+7wAAAAECAwQF
env       WEBHOOK_SECRET           e3b98a4da31a127d4bde6e43033f66ba
env       INTERNAL_SECRET          7Hq2Lm9Xv4TzPw1B
env       DATABASE_URL             postgres://orders:q7-plum@db:5432/orders
env       MONGO                    mongodb+srv://root:Zq8wren@cluster0.example.org/admin
env       BROKER_URL               amqp://:plum-orchard@mq:5672
env       PROXY                    http://robot:kettle7drum@proxy.example.org:3128
env       SQL                      Server=db;User Id=sa;Password=Wren-Field-8;Encrypt=true
env       STORAGE                  AccountName=orders;AccountKey=Q7xLw84Rt9fK2mQ7xLw84Rt==
env       FEED                     https://feed.example.org/rates?api_key=9fK2mQ7xLw84Rt
env       TLS_KEY                  -----BEGIN PRIV~ATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIV~ATE KEY-----
env       ROOT_PW                  kettle#Drum9
env       TWILIO_AUTH_TOKEN        5c1f0e9a7b3d2846
env       DD_API_KEY               9a8b7c6d5e4f30219a8b7c6d5e4f3021
env       ELASTIC_PASSWORD         elastic
env       GRAFANA_ADMIN_PASS       prom-operator
env       MINIO_SECRET_KEY         minio-plum-123
env       NATS_URL                 nats://svc:kettle7@nats:4222
config    alertmanager.yml         global:\n  smtp_auth_password: kettledrum
config    odbc.ini                 [shop]\nUID=sa\nPWD=Kettle7Drum
config    credentials              [default]\nregion = eu\naws_secret_access_key = wJ4rXUtnFEMI7K~MDENGbPxRfiCYzQLMPT9Kd2
config    .npmrc                   //registry.example.org/:_authToken=9fK2mQ7xLw84Rt
config    .netrc                   machine git.example.org login robot password kettle7drum
config    .pgpass                  db:5432:shop:orders:plum-orchard
config    app.toml                 [db]\npassword = "Wren-Field-8"
config    settings.py              DATABASES = {'default': {'PASSWORD': 'Wren-Field-8'}}
config    init.sql                 CREATE USER orders WITH PASSWORD 'Wren-Field-8';
config    users.sql                ALTER USER 'root'@'%' IDENTIFIED BY 'Wren-Field-8';
config    logstash.conf            output {\n  elasticsearch { password => "Wren-Field-8" }\n}
config    main.tf                  password = "Wren-Field-8"
args      pg_dump                  --dbname=postgres://orders:q7-plum@db/shop
args      mongosh                  -u root -p plum-orchard-41
args      app                      --client-secret=Zq8wrenField
args      java                     -Dspring.datasource.password=Wren-Field-8 -jar app.jar
args      helm                     upgrade shop ./chart --set auth.password=kettledrum
args      sshpass                  -p kettledrum ssh robot@host
script    sh                       psql "host=db user=orders password=kettledrum" -c "select 1"
script    sh                       psql -c "create role orders login password 'kettledrum'"
script    sh                       wget --header="Authorization: Basic cm9ib3Q6a2V0dGxl" https://push.example.org
script    sh                       DATABASE_URL=postgres://orders:q7-plum@db/shop ./run
script    sh                       echo "robot:kettle7drum" | chpasswd
config    password                 winter-plum-9
config    redis-password           kettle7drum
config    apiToken                 tG7kLq2Zx91
config    app.properties           server.port=80\nspring.datasource.password=Wren-Field-8
config    settings.yaml            database:\n  user: orders\n  password: 'six blue'\n  token: tG7kLq2Zx91
config    settings.json            {"db": {"user": "orders", "password": "Wren-Field-8"}}
config    redis.conf               maxmemory 64mb\nrequirepass plum-orchard-41
config    .env                     HOST=db\nexport DB_PASSWORD=plum-orchard-41
config    settings.xml             <server><username>ci</username><password>Wren8Field</password></server>
config    id_rsa                   -----BEGIN OPENSSH PRIV~ATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIV~ATE KEY-----
config    nginx.conf               location / {\n  proxy_set_header X 'Authorization: Bearer tG7kLq2Zx91Qw';\n}
binary    settings.ini             [db]\nuser=orders\npassword=winter-plum-9
args      redis-server             --requirepass plum-orchard-41
args      redis-cli                -a plum-orchard-41 ping
args      app                      --db-password=plum-orchard-41
args      app                      --api-token tG7kLq2Zx91
args      mysqldump                -uroot -pkettledrum shop
args      curl                     -u robot:kettle7drum https://push.example.org
script    sh                       set -e; PGPASSWORD=kettledrum psql -h db
script    sh                       curl -H 'Authorization: Bearer tG7kLq2Zx91Qw' https://api.example.org
script    sh                       kubectl create secret generic x --from-literal=token=tG7kLq2Zx91
secret    password                 plum-orchard-41
secret    tls.key                  -----BEGIN PRIV~ATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIV~ATE KEY-----
secret    .dockerconfigjson        {"auths":{"registry.example.org":{"auth":"b3JkZXJzOnBsdW0="}}}
"##;

/// What has to be left alone.
const LOOKALIKES: &str = r##"
env       DB_PASSWORD              ${DB_PASSWORD}
env       DB_PASSWORD              $(OTHER)
env       DB_PASSWORD              $DB_PASSWORD
env       DB_PASSWORD              {{ .Values.password }}
env       DB_PASSWORD              changeme
env       DB_PASSWORD              CHANGE_ME_BEFORE_USE
env       DB_PASSWORD              <password>
env       DB_PASSWORD              [redacted]
env       DB_PASSWORD              xxxxxxxx
env       DB_PASSWORD              ********
env       DB_PASSWORD              your-password-here
env       DB_PASSWORD              /run/secrets/db-password
env       DB_PASSWORD              vault:secret/data/db#password
env       DB_PASSWORD              op://infrastructure/db/password
env       DB_PASSWORD              %DB_PASSWORD%
env       DB_PASSWORD              todo
env       DB_PASSWORD_FILE         /run/secrets/db
env       DB_PASSWORD_KEY          database-password
env       PASSWORD_MIN_LENGTH      14
env       PASSWORD_POLICY          two-of-three
env       PASSWORD_RESET_URL       https://login.example.org/reset
env       PASSWORD_HASH            5f4dcc3b5aa765d61d8327deb882cf99
env       PASSWORD_HASH_ALGORITHM  argon2id
env       REQUIRE_PASSWORD         true
env       ALLOW_EMPTY_PASSWORD     yes
env       PASSWORD_LOGIN_ENABLED   false
env       BYPASS                   internal-network
env       COMPASS_URL              https://compass.example.org
env       TOKEN_TTL                86400
env       TOKEN_EXPIRY             24h30m15s
env       TOKEN_ISSUER             https://login.example.org
env       TOKEN_AUDIENCE           orders-v2
env       TOKEN_HEADER             X-Session-Token
env       AUTH_TOKEN_URL           https://login.example.org/oauth/token
env       TOKEN_TYPE               Bearer
env       TOKEN                    disabled
env       TOKENIZER_MODEL          bert-base-uncased-v2
env       MAX_TOKENS               4096
env       API_KEY_HEADER           X-Api-Key
env       API_KEY                  your-api-key-123
env       API_KEY_NAME             orders-key-1
env       JWT_PUBLIC_KEY           MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
env       JWT_ALGORITHM            RS256
env       SECRET_NAME              orders-database
env       EXISTING_SECRET          orders-database-credentials
env       TLS_SECRET               wildcard-example-org-tls
env       SECRET_STORE             vault-backend-1
env       SECRET_ARN               arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-Ab12Cd
env       CREDENTIALS              /var/run/credentials.json
env       GOOGLE_CREDENTIALS       projects/orders/secrets/reader/versions/latest
env       KEY_ID                   3f786850-e387-550f-dab8-36ed7e6dc881
env       REQUEST_ID               3f786850-e387-550f-dab8-36ed7e6dc881
env       TENANT                   9d2b7f64-0c51-4e8a-b3d6-7f1a2c5e8b90
env       REVISION                 3f786850e387550fdab836ed7e6dc881de23001b
env       IMAGE                    registry.example.org/shop/web@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
env       CHECKSUM                 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
env       ETAG                     W/0815-abcdef
env       SSH_KNOWN                ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8mQ2
env       DATABASE_URL             postgres://db.trade:5432/orders?sslmode=require
env       DATABASE_URL             postgres://orders@db.trade:5432/orders
env       DATABASE_URL             postgres://orders:${DB_PASSWORD}@db.trade:5432/orders
env       DATABASE_URL             postgres://user:password@localhost/example
env       SQL                      Server=db;User Id=sa;Password=${SA_PASSWORD};Encrypt=true
env       CALLBACK                 https://shop.example.org/callback?state=on&token=
env       GIT_URL                  https://git@git.example.org/orders.git
env       ROLE                     arn:aws:iam::123456789012:role/orders-reader
env       BUCKET                   s3://orders-backup/2026/11
env       FEATURE_FLAGS            newCheckout=true,passkeys=false,tokens=off
env       SETTINGS                 eyJyZWdpb24iOiAibm9ydGgiLCAiZGVidWciOiBmYWxzZX0=
env       MIME                     application/vnd.example.token+json
env       PASSWD_PATH              /etc/passwd
env       JAVA_OPTS                -Xmx512m -Djavax.net.ssl.trustStorePassword=changeit
env       SASL_MECHANISM           SCRAM-SHA-512
env       SK                       sk-learn
env       CERT                     -----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----
env       PGP                      -----BEGIN PGP PUBLIC KEY BLOCK-----\nmDMEXEcE6RYJKwYBBAHa\n-----END PGP PUBLIC KEY BLOCK-----
env       SENTRY_DSN               https://9a8b7c6d5e4f30219a8b7c6d5e4f3021@ingest.example.org/7
env       PASSWORD_ENCODER         bcrypt
env       AUTH_METHOD              token
env       CSRF_TOKEN_NAME          _csrf
env       SECRET_ROTATION_DAYS     30
env       ACCESS_TOKEN_VALIDITY    3600seconds
env       KUBE_TOKEN_PATH          /var/run/secrets/kubernetes.io/serviceaccount/token
env       ENCRYPTION_KEY_ALIAS     alias/orders-2026
env       PASSWORD_PROMPT          Password:
env       TOKENS_PER_MINUTE        90000
env       PGPASSFILE               /root/.pgpass
env       AWS_SECRET_NAME          prod/orders/db
config    messages.properties      login.password=Password\nlogin.token=Token
config    realm.json               {"accessTokenLifespan": "300", "passwordPolicy": "length(12) and digits(1)"}
config    prometheus.yml           bearer_token_file: /run/token\nbasic_auth:\n  password_file: /etc/pw
config    loki.yaml                secret_access_key: ${S3_SECRET}
config    fluent.conf              <match app>\n  password "#{ENV['ES_PASSWORD']}"\n</match>
config    grafana.ini              admin_password = $__file{/etc/secrets/pw}
config    app.js                   const token = req.headers.authorization;\nif (password === other) {}
config    schema.graphql           type Login {\n  password: String!\n  token: ID!\n}
config    types.ts                 interface Login {\n  password: string;\n  token?: string;\n}
config    openapi.yaml             password:\n  type: string\n  format: password
config    main.go                  password := os.Getenv("DB_PASSWORD")
config    table.sql                CREATE TABLE users (id int, password VARCHAR(255) NOT NULL);
args      app                      --auth-mode=token --password-policy=strict
args      proxy                    --upstream=http://127.0.0.1:8080/ --auth-token-audiences=orders-api-v1
script    sh                       password=$(openssl rand -hex 16); echo "password generated"
script    sh                       PASSWORD=`cat /run/password`; run
script    sh                       read -s -p "Password: " PASSWORD
script    sh                       if [ "$PASSWORD" = "changeme" ]; then exit 1; fi
config    password.file            /run/secrets/db
config    passwordKey              admin-password
config    app.properties           spring.datasource.password=${DB_PASSWORD}\n# spring.datasource.password=old-plum-41
config    app.yaml                 auth:\n  tokenTTL: 24h\n  passwordMinLength: 14\n  existingSecret: orders-db
config    handler.py               token = get_token(request)\npassword = os.environ['DB_PASSWORD']
config    prose.md                 Password: ask the operator for it.\nToken rotation happens on Mondays.
config    pg_hba.conf              host all all 10.0.0.0/8 scram-sha-256\nlocal all all password
config    nginx.conf               proxy_set_header Authorization $http_authorization;
config    values.json              {"existingSecret": "orders-db", "tokenTtl": "24h", "passwordFile": "/run/db"}
config    web.xml                  <password-policy>strict</password-policy><token-ttl>24h</token-ttl>
config    ca.crt                   -----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----
config    id_rsa.pub               ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDZx7 ops@example.org
config    sum.txt                  2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae  web.tar
binary    settings.ini             [db]\nuser=orders\nregion=north
args      docker                   login --password-stdin registry.example.org
args      docker                   run -p 8080:8080 shop
args      app                      --password-file /run/secrets/db
args      app                      --token-ttl=24h30m15s --secret-name orders-database
args      app                      --password $(DB_PASSWORD)
args      mysql                    -uroot -p shop
args      curl                     -u robot https://push.example.org
script    sh                       export PGPASSWORD=$(cat /run/secrets/db); psql -h db
script    sh                       test -n "$PASSWORD" || { echo "password is missing"; exit 1; }
script    sh                       redis-cli -a "$REDIS_PASSWORD" ping
secret    password                 ${PASSWORD}
secret    password                 changeme
secret    tls.crt                  -----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIU\n-----END CERTIFICATE-----
secret    password                 ENC[AES256_GCM,data:p8Qz,iv:1b0=,tag:9a==,type:str]
"##;

/// The lines of a list, each as an object of its own name.
fn objects(list: &str, prefix: &str) -> Vec<(String, String)> {
    let lines = list.lines().filter(|line| !line.is_empty()).enumerate();
    let object = |(number, line): (usize, &str)| {
        let name = format!("{prefix}-{number}");
        let (place, rest) = line.split_once(' ').expect("a place");
        let (key, value) = rest.trim_start().split_once(' ').expect("a name and a value");
        let value = value.trim_start().replace('~', "").replace(r"\n", "\n");
        (manifest(place, &name, key, &value), line.to_owned())
    };
    lines.map(object).collect()
}

fn manifest(place: &str, name: &str, key: &str, value: &str) -> String {
    let quoted = |text: &str| serde_json::to_string(text).expect("a string is JSON");
    let meta = format!("metadata: {{name: {name}, namespace: list}}");
    let pod = |container: &str| {
        format!("apiVersion: v1\nkind: Pod\n{meta}\nspec: {{containers: [{container}]}}\n")
    };
    let map = |kind: &str, field: &str, value: &str| {
        let value = quoted(value);
        format!("apiVersion: v1\nkind: {kind}\n{meta}\n{field}: {{{}: {value}}}\n", quoted(key))
    };
    match place {
        "env" => pod(&format!("{{name: c, env: [{{name: {key}, value: {}}}]}}", quoted(value))),
        "args" => {
            let words: Vec<String> = value.split(' ').map(quoted).collect();
            pod(&format!("{{name: c, command: [{key}], args: [{}]}}", words.join(", ")))
        }
        "script" => pod(&format!("{{name: c, command: [{key}, -c, {}]}}", quoted(value))),
        "config" => map("ConfigMap", "data", value),
        "binary" => map("ConfigMap", "binaryData", &STANDARD.encode(value)),
        "secret" => map("Secret", "stringData", value),
        other => panic!("no place is called {other}"),
    }
}

/// The lines of a list about which one of the secret checks says something.
fn found(objects: &[(String, String)], prefix: &str) -> BTreeSet<usize> {
    const CHECKS: [&str; 4] = [
        "secret-literal-in-env",
        "secret-in-configmap",
        "secret-in-arguments",
        "plain-secret-in-repository",
    ];
    let directory = tempfile::tempdir().expect("a scratch directory");
    let manifests: Vec<&str> = objects.iter().map(|(manifest, _)| manifest.as_str()).collect();
    write(directory.path(), "list.yaml", manifests.join("---\n"));
    let run = judge(&[directory.path().join("list.yaml")]);
    let documents = run.loaded.inventories.iter().map(|inventory| inventory.documents.len());
    assert_eq!(documents.sum::<usize>(), objects.len(), "every line is an object");
    let findings = run.assessments.iter().flat_map(|assessment| &assessment.findings);
    let ours = findings.filter(|finding| CHECKS.contains(&finding.check));
    let number = |name: &str| name.strip_prefix(prefix)?.strip_prefix('-')?.parse().ok();
    ours.filter_map(|finding| number(&finding.subject.name)).collect()
}

#[test]
fn credentials_are_found_and_what_looks_like_them_is_left() {
    let (secrets, lookalikes) = (objects(SECRETS, "secret"), objects(LOOKALIKES, "lookalike"));
    let (hits, alarms) = (found(&secrets, "secret"), found(&lookalikes, "lookalike"));
    for (number, (_, line)) in secrets.iter().enumerate().filter(|(n, _)| !hits.contains(n)) {
        say(&format!("secrets: missed, line {number}: {line}"));
    }
    for number in &alarms {
        say(&format!("secrets: false alarm, line {number}: {}", lookalikes[*number].1));
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let recall = share(hits.len(), secrets.len());
    let precision = share(hits.len(), hits.len() + alarms.len());
    say(&format!(
        "secrets: {} secrets, {} look-alikes: precision {precision:.3}, recall {recall:.3}",
        secrets.len(),
        lookalikes.len()
    ));
    assert!(secrets.len() >= 60 && lookalikes.len() >= 80, "the list has become too short");
    assert!(recall >= 0.95, "recall is {recall:.3}");
    assert!(precision >= 0.97, "precision is {precision:.3}");
}
